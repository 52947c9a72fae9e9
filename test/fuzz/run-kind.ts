import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { limits, type Outcome } from "./mutant.ts";

const child = fileURLToPath(new URL("child.ts", import.meta.url));
/** Seconds over the limit after which a mutant is stopped rather than waited for. */
const PATIENCE = 3;

/** Bytes of a process in memory; 0 where it is gone. */
function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * Tries mutants of a kind in a process of their own, so that one that ends it, takes its memory or hangs costs only itself.
 * @param onOutcome told of each, in order
 */
export async function runKind(
  name: string,
  first: number,
  end: number,
  seed: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  for (let next = first; next < end;) {
    const last = next;
    next = await runFrom(name, next, end, seed, onOutcome);
    if (next === last) throw new Error(`${name}: the process ended before a mutant began`);
  }
}

/** @returns the number of the first mutant that was not tried */
function runFrom(
  name: string,
  first: number,
  end: number,
  seed: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<number> {
  const process = spawn(
    globalThis.process.execPath,
    ["--import", "tsx", child, name, `${first}`, `${end}`, `${seed}`],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let current: number | undefined;
  let begin = performance.now();
  let next = first;
  let said = "";
  let reason: string | undefined;
  process.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const lines = createInterface({ input: process.stdout });
  lines.on("line", (line) => {
    const told = JSON.parse(line) as { readonly starts: number } | Outcome;
    if ("starts" in told) [current, begin] = [told.starts, performance.now()];
    else {
      [current, next] = [undefined, told.index + 1];
      onOutcome(told);
    }
  });
  const watch = setInterval(() => {
    if (current === undefined || process.pid === undefined) return;
    const bytes = residentBytes(process.pid);
    const seconds = (performance.now() - begin) / 1000;
    if (bytes > limits.bytes) reason = `took ${(bytes / 1e9).toFixed(2)} GB`;
    else if (seconds > limits.seconds + PATIENCE) reason = `took more than ${seconds.toFixed(0)} s`;
    if (reason !== undefined) process.kill("SIGKILL");
  }, 50);
  return new Promise((resolve) => {
    process.on("close", (code, signal) => {
      clearInterval(watch);
      if (current === undefined) {
        if (next === first) globalThis.process.stderr.write(said);
        resolve(next);
        return;
      }
      const fault = reason ?? `ended the process: ${signal ?? code ?? ""} ${said.slice(-400)}`;
      onOutcome({ index: current, isDeep: true, accepted: false, message: "", seconds: 0, fault });
      resolve(current + 1);
    });
  });
}
