import type { Stats } from "node:fs";
import { open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { UnnoiseError } from "../math/error.ts";
import { codeOf, ioError } from "./io-error.ts";
import { checkNotDangling } from "./link.node.ts";
import { sweepAbandoned, temporaryIn } from "./temporary.node.ts";

/** What is written to a file: at once, or part after part as they come, each in memory only until it is written. */
export type Content = Part | AsyncIterable<Part>;

type Part = Uint8Array | string;

const DEFAULT_MODE = 0o666;

async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

async function writeSynced(path: string, content: Content, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    if (typeof content === "string" || content instanceof Uint8Array) await file.writeFile(content);
    else for await (const part of content) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What a system answers that cannot sync a folder, or not this one; the new file is in place by then. */
const FOLDER_SYNC_REFUSALS = new Set(["EACCES", "EINVAL", "EISDIR", "ENOTSUP", "EPERM"]);

/** Makes the rename itself survive a power cut, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (cause) {
    if (!FOLDER_SYNC_REFUSALS.has(codeOf(cause))) throw cause;
  }
}

async function replaceFile(path: string, content: Content, mode: number): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryIn(folder);
  await sweepAbandoned(folder);
  try {
    await writeSynced(temporary, content, mode);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cause;
  }
  await syncFolder(folder);
}

/** A device, pipe or socket is written into; a file is replaced, at the end of its symbolic links. */
async function writeAny(path: string, present: Stats | undefined, content: Content): Promise<void> {
  if (present === undefined) {
    await checkNotDangling(path);
    await replaceFile(path, content, DEFAULT_MODE);
  } else if (present.isFile()) await replaceFile(await realpath(path), content, present.mode);
  else await writeFile(path, content);
}

function missingFolder(path: string): string {
  return `the folder ${dirname(path)} does not exist`;
}

/**
 * Writes a file so that its path always holds either the old content or all of the new: into a temporary file in the same
 * folder, synced to disk, renamed. Devices and pipes are written directly.
 * @param path where to write; its folder must exist
 * @throws UnnoiseError `io` with the reason in plain words; the temporary file is removed and the old content stays
 */
export async function writeFileAtomic(path: string, content: Content): Promise<void> {
  try {
    await writeAny(path, await statIfPresent(path), content);
  } catch (cause) {
    throw ioError("write", path, cause, missingFolder(path));
  }
}

/** Whether a file that is already there may be replaced. */
export interface WriteNewOptions {
  readonly overwrite: boolean;
}

/**
 * Writes a file as `writeFileAtomic` does, but refuses to replace one that exists unless `overwrite` is true.
 * @throws UnnoiseError `io` with the reason in plain words, or what a part throws; then nothing is left of it
 */
export async function writeNewFile(path: string, content: Content, { overwrite }: WriteNewOptions): Promise<void> {
  try {
    const present = await statIfPresent(path);
    if (present?.isFile() === true && !overwrite) {
      throw new UnnoiseError("io", `cannot write ${path}: it already exists; choose another name or allow overwriting`);
    }
    await writeAny(path, present, content);
  } catch (cause) {
    throw ioError("write", path, cause, missingFolder(path));
  }
}

/**
 * Reads a whole file.
 * @throws UnnoiseError `io` with the reason in plain words
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    const buffer = await readFile(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (cause) {
    throw ioError("read", path, cause);
  }
}
