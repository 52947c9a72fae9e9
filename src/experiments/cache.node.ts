import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { jsonText, readJson } from "../train/json-file.node.ts";
import type { DoneJob, Job, JobResult } from "./job.ts";
import { jobKey } from "./job-key.node.ts";

const stored = z.strictObject({ kind: z.string(), label: z.string(), config: z.unknown(), values: z.unknown() });

/** Finished jobs in folders named by their keys. `result.json` is written last: what has one is finished. */
export class JobCache {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  folderOf(job: Job): string {
    return join(this.path, jobKey(job));
  }

  /** Whether a job is finished. */
  async has(job: Job): Promise<boolean> {
    return (await stat(this.#resultPath(job)).catch(() => undefined)) !== undefined;
  }

  /**
   * The result of a finished job.
   * @throws UnnoiseError `io`, `run-folder` or `format` when it is missing or damaged
   */
  async read<Values>(job: Job<Values>): Promise<DoneJob<Values>> {
    return readResult<Values>(this.folderOf(job));
  }

  /** Makes the folder in which a job will work. */
  async prepare(job: Job): Promise<string> {
    const folder = this.folderOf(job);
    await makeFolder(folder);
    return folder;
  }

  #resultPath(job: Job): string {
    return join(this.folderOf(job), RESULT);
  }
}

/** What is kept of a job beside its result. */
export type JobRecord = Readonly<Record<"kind" | "label", string>> & { readonly config: unknown };

/**
 * Keeps the result of a job in its folder.
 * @throws UnnoiseError `not-finite` for values that JSON cannot hold, `io` when the disk refuses
 */
export async function writeResult(
  folder: string,
  { kind, label, config }: JobRecord,
  { values, arrays }: JobResult,
): Promise<void> {
  checkFinite(values, label);
  await writeFileAtomic(join(folder, ARRAYS), encodeSafetensors(new Map(Object.entries(arrays))));
  await writeFileAtomic(join(folder, RESULT), jsonText({ kind, label, config, values }));
}

const RESULT = "result.json";
const ARRAYS = "arrays.safetensors";

/** The result that a finished job left in its folder. */
export async function readResult<Values>(folder: string): Promise<DoneJob<Values>> {
  const { values } = await readJson(join(folder, RESULT), stored, `delete ${folder}, so that it is made again`);
  const path = join(folder, ARRAYS);
  const { tensors } = decodeSafetensors(await readFileBytes(path), path);
  return { folder, values: values as Values, arrays: Object.fromEntries(tensors) as Record<string, FloatTensor> };
}

function checkFinite(value: unknown, label: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new UnnoiseError("not-finite", `${label}: gave ${value} where a finite number was expected`);
  }
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) checkFinite(inner, label);
}
