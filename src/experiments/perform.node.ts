import { UnnoiseError } from "../math/error.ts";
import { readResult, writeResult } from "./cache.node.ts";
import type { JobContext } from "./job.ts";
import { jobKinds } from "./job-kinds.node.ts";

/** A job as it crosses to a worker thread. */
export interface Task {
  /** Name of its kind. */
  readonly kind: string;
  readonly config: unknown;
  readonly label: string;
  /** Where it works and leaves its result. */
  readonly folder: string;
  /** Folders of the finished jobs that it needs. */
  readonly needs: readonly string[];
}

/**
 * Does a job and keeps its result.
 * @throws UnnoiseError what the job throws; nothing is kept then
 */
export async function perform(task: Task, context: Pick<JobContext, "signal" | "onShare">): Promise<void> {
  const kind = jobKinds.find(({ name }) => name === task.kind);
  if (!kind) throw new UnnoiseError("usage", `job: unknown kind ${task.kind}`);
  const needs = await Promise.all(task.needs.map((folder) => readResult(folder)));
  const result = await kind.run(task.config as never, { ...context, folder: task.folder, needs });
  await writeResult(task.folder, task, result);
}
