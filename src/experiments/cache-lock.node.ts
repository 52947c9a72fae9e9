import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { codeOf, ioError } from "../formats/io-error.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { UnnoiseError } from "../math/error.ts";

const LOCK = "in-use";
const ATTEMPTS = 3;

/**
 * Takes a folder of finished work for this process alone: two that train one model in one folder would spoil it. What a killed process
 * left does not count.
 * @returns gives the folder free
 * @throws UnnoiseError `usage` while another process has it, `io` when the folder cannot be made or written
 */
export async function lockCache(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK);
  try {
    await makeFolder(folder);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await wasTaken(path)) return () => rm(path, { force: true });
      await checkLeft(path);
      await rm(path, { force: true });
    }
  } catch (cause) {
    throw ioError("write", path, cause);
  }
  throw new UnnoiseError("usage", `${folder} was taken by another process just now; choose another --out`);
}

/** Makes the file where there is none. */
async function wasTaken(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(ownerLine(process.pid)).finally(() => file.close());
    return true;
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

const ownerLine = (pid: number | string): string => `${pid} ${hostname()}\n`;

/** @throws UnnoiseError `usage` unless the process that made the file is gone */
async function checkLeft(path: string): Promise<void> {
  const line = await readFile(path, "utf8").catch(() => "");
  const [pid = "", host = ""] = line.trim().split(" ");
  if (line === ownerLine(pid) && !isRunning(Number(pid))) return;
  const who = host === "" ? "another process" : `process ${pid} on ${host}`;
  const advice = "wait for it, or choose another --out (if it is gone, delete this file)";
  throw new UnnoiseError("usage", `${path}: ${who} is at work here; ${advice}`);
}

/** Whether another process of this machine has the number. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return codeOf(cause) === "EPERM";
  }
}
