import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, ioError } from "./io-error.ts";

/**
 * Makes a folder, and those that it lies in, where there is none. Unlike Node's recursive `mkdir` it ends where the system makes no folder
 * in one that exists, as in /proc.
 * @throws UnnoiseError `io`
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await made(path);
  } catch (cause) {
    throw ioError("create", path, cause, "the system makes no folder there");
  }
}

async function made(path: string): Promise<void> {
  const cause = await attempt(path);
  if (cause === undefined) return;
  const parent = dirname(path);
  if (codeOf(cause) !== "ENOENT" || parent === path) throw cause;
  if (!(await isFolder(parent))) await made(parent);
  const again = await attempt(path);
  if (again !== undefined) throw again;
}

/** What kept the folder from being there, if anything did. */
async function attempt(path: string): Promise<Error | undefined> {
  try {
    await mkdir(path);
    return undefined;
  } catch (cause) {
    return (await isFolder(path)) ? undefined : (cause as Error);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
