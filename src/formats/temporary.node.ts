import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isGone, thisProcess } from "./process-mark.node.ts";
import { tellTemporary } from "./leftovers.node.ts";

/** Process, its start, its machine, and what tells the temporary files of one process apart. */
const TEMPORARY = /^\.unnoise-(\d+)-(\d+)-([0-9a-f]{8})-[0-9a-f]{8}\.tmp$/;
/** Names as unnoise made them before they told their process. */
const UNMARKED = /^\.unnoise-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** A new path in a folder for a temporary file or folder of this process, which is removed when the program is stopped. */
export function temporaryIn(folder: string): string {
  const { pid, start, host } = thisProcess;
  const path = join(folder, `.unnoise-${pid}-${start}-${host}-${randomUUID().slice(0, 8)}.tmp`);
  tellTemporary(path);
  return path;
}

/** Whether a name is that of a temporary file, which a killed process may leave behind. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name) || UNMARKED.test(name);
}

/** Whether a name is that of a temporary file whose process is gone. */
export function isAbandoned(name: string): boolean {
  const [, pid, start, host] = TEMPORARY.exec(name) ?? [];
  if (host === undefined) return UNMARKED.test(name);
  return isGone({ pid: Number(pid), start: Number(start), host });
}

/** Removes from a folder what killed processes left half-written there; what refuses stays as it is. */
export async function removeAbandoned(folder: string): Promise<void> {
  const left = (await readdir(folder).catch(() => [])).filter(isAbandoned);
  const going = left.map((name) => rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined));
  await Promise.all(going);
}

const swept = new Set<string>();

/** `removeAbandoned`, once in a process for each folder: for who writes many files there. */
export async function sweepAbandoned(folder: string): Promise<void> {
  const path = resolve(folder);
  if (swept.has(path)) return;
  swept.add(path);
  await removeAbandoned(path);
}
