import { createHash } from "node:crypto";
import { link, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { codeOf, ioError } from "./io-error.ts";
import { makeFolder } from "./make-folder.node.ts";
import { isGone, thisProcess, type ProcessMark } from "./process-mark.node.ts";
import { temporaryIn } from "./temporary.node.ts";

/** The file that says who writes in a folder. */
export const LOCK = "in-use";

/** Gives a folder free. */
export type Unlock = () => Promise<void>;

/** What a lock file tells. */
interface Owner extends ProcessMark {
  readonly machine: string;
  readonly since: string;
}

/**
 * Takes a folder for this process alone, and makes it where there is none: two that write one run would spoil it. What a killed process
 * of this machine left does not count. Readers need no lock.
 * @throws UnnoiseError `usage` while another process has it, `io` when the folder cannot be made or written
 */
export async function lockFolder(folder: string): Promise<Unlock> {
  const path = join(folder, LOCK);
  try {
    await makeFolder(folder);
    await acquire(path);
  } catch (cause) {
    throw ioError("write", path, cause);
  }
  return () => rm(path, { force: true });
}

/**
 * Refuses a folder that another process writes in, before any work is done for it.
 * @throws UnnoiseError `usage`
 */
export async function checkUnlocked(folder: string): Promise<void> {
  const path = join(folder, LOCK);
  const text = await textOf(path);
  if (text !== undefined) checkGone(path, text);
}

/**
 * Makes the lock file, whole at once. That of a process that is gone is replaced, by whoever holds the lock on just that replacement: so two
 * that find it at the same moment cannot both have it, and one that is killed in between is itself replaced in this way.
 */
async function acquire(path: string): Promise<void> {
  const owner: Owner = { ...thisProcess, machine: hostname(), since: new Date().toISOString() };
  const temporary = temporaryIn(dirname(path));
  await writeFile(temporary, `${JSON.stringify(owner)}\n`, { flag: "wx" });
  try {
    if (await isFirst(temporary, path)) return;
    const text = await textOf(path);
    if (text === undefined) {
      await acquire(path);
      return;
    }
    checkGone(path, text);
    const replacing = `${path}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
    await acquire(replacing);
    try {
      if ((await textOf(path)) !== text) throw busy(path, "another process has just begun to work here");
      await rename(temporary, path);
    } finally {
      await rm(replacing, { force: true });
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Gives the lock file its name where none has it. */
async function isFirst(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(cause))) throw cause;
  }
  // A file system without hard links: the file is empty for a moment, which readers take for a process at work.
  try {
    const file = await open(path, "wx");
    await file.writeFile(await readFile(temporary)).finally(() => file.close());
    return true;
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return undefined;
    throw ioError("read", path, cause);
  }
}

/** @throws UnnoiseError `usage` unless the process that made the file is gone */
function checkGone(path: string, text: string): void {
  let owner: Partial<Owner> = {};
  try {
    owner = Object(JSON.parse(text)) as Partial<Owner>;
  } catch {
    // Not ours, or of an earlier version: nobody can tell whether its process is gone.
  }
  const { pid, start, host, machine, since } = owner;
  if (typeof pid !== "number" || typeof start !== "number" || typeof host !== "string") {
    throw busy(path, "another process is at work here");
  }
  if (isGone({ pid, start, host })) return;
  const where = host === thisProcess.host ? "" : ` on ${shown(machine)}`;
  throw busy(path, `process ${pid}${where} is at work here since ${shown(since)}`);
}

function busy(path: string, who: string): UnnoiseError {
  const advice = "wait for it, or choose another folder (if that process is gone, delete this file)";
  return new UnnoiseError("usage", `${path}: ${who}; ${advice}`);
}
