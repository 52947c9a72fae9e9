import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { codeOf } from "./io-error.ts";

/** Which process: its number on its machine, and when it began, since numbers are used again. */
export interface ProcessMark {
  readonly pid: number;
  /** On Linux clock ticks since the machine started; elsewhere 0, for unknown. */
  readonly start: number;
  /** A hash of the machine's name, short enough for names of files. */
  readonly host: string;
}

/** Fields 3 and 22 of /proc/<pid>/stat; the second field, a name in brackets, may hold blanks and brackets. Nothing where there is no /proc. */
function statOf(pid: number): { readonly state: string; readonly start: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", start: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** This process, whichever of its threads asks. */
export const thisProcess: ProcessMark = {
  pid: process.pid,
  start: statOf(process.pid)?.start ?? 0,
  host: createHash("sha256").update(hostname()).digest("hex").slice(0, 8),
};

/** Whether a process is known to be gone; those of other machines never are. */
export function isGone({ pid, start, host }: ProcessMark): boolean {
  if (host !== thisProcess.host) return false;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if (codeOf(cause) === "ESRCH") return true;
  }
  const now = statOf(pid);
  if (now === undefined || start === 0) return false;
  // A zombie has ended; only its parent has not yet asked how.
  return now.start !== start || ["Z", "X"].includes(now.state);
}
