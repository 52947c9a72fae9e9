import { createHash } from "node:crypto";
import type { Dataset } from "../data/dataset.ts";
import { isToyName } from "../data/toy.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { openDataset, type DataConfig } from "../train/open-data.node.ts";
import type { DataSource } from "./data-source.ts";

/**
 * A toy set, or a file with the digest of what it holds now.
 * @throws UnnoiseError `io` when the file cannot be read
 */
export async function sourceOf(data: string): Promise<DataSource> {
  return { data, digest: isToyName(data) ? null : await digestOf(data) };
}

async function digestOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFileBytes(path))
    .digest("hex");
}

/** @throws UnnoiseError `data` when a file no longer holds what it did when the study began, `io` when it cannot be read */
export async function checkUnchanged({ data, digest }: DataSource): Promise<void> {
  if (digest === null || digest === (await digestOf(data))) return;
  throw new UnnoiseError("data", `${data} has changed since the study began; start the study again`);
}

/**
 * Opens the data of a job, which must be those that its configuration names.
 * @throws UnnoiseError `usage`, `io` or `data`: one line with file, row and column
 */
export async function openSource(config: DataSource & DataConfig): Promise<Dataset> {
  await checkUnchanged(config);
  return openDataset(config);
}
