import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Field } from "./contenders.ts";
import type { Options } from "./options.ts";
import type { Problem } from "./protocol.ts";
import { median, type Entry } from "./results.ts";
import { repository } from "./versions.ts";

const COUNT = 100;

interface Start {
  readonly row: string;
  readonly variant: string;
  readonly command: readonly string[];
  readonly result: string;
  readonly times: number[];
}

/** From launch to a file of 100 points by DDIM in 50 steps, a new process each time, in turns. */
export function coldStarts(folder: string, problem: Problem, field: Field, options: Options): Entry[] {
  const problemFile = join(folder, "problem.json");
  writeFileSync(problemFile, JSON.stringify(problem));
  const entries: Entry[] = field.absent.map(({ row, reason }) => entry(row, "", "absent", reason));
  const starts: Start[] = [];
  const run = trainForColdStart(folder, problem);
  const own = join(folder, "unnoise.csv");
  const sample = ["--count", String(COUNT), "--sampler", "ddim", "--steps", "50", "--seed", "1", "--out", own];
  const cli = [process.execPath, join(repository, "bin", "unnoise.js"), "sample", join(folder, "run"), ...sample];
  if (run === null) starts.push({ row: "unnoise", variant: "command line", command: cli, result: own, times: [] });
  else entries.unshift(entry("unnoise", "command line", "failed", run));
  const seen = new Set<string>();
  for (const { row, variant, cold } of field.contenders) {
    if (cold === null || seen.has(row)) continue;
    seen.add(row);
    const result = join(folder, `${seen.size}.csv`);
    starts.push({ row, variant, command: [...cold, problemFile, result], result, times: [] });
  }
  const failed = new Map<Start, string>();
  // The first start of each fills the disk cache and is not counted.
  for (let round = -1; round < options.rounds; round++) {
    for (const start of starts) {
      if (failed.has(start)) continue;
      const time = startOnce(start);
      if (typeof time === "string") failed.set(start, time);
      else if (round >= 0) start.times.push(time);
    }
  }
  const timed = starts.map(({ row, variant, times }, i): Entry => {
    const reason = failed.get(starts[i] as Start);
    if (reason !== undefined) return entry(row, variant, "failed", reason);
    return { row, variant, threads: null, status: "timed", rounds: times, median: median(times), stepsPerRound: 1 };
  });
  return [...timed, ...entries];
}

/** A run folder of a barely trained model of the same size; what went wrong, or null. */
function trainForColdStart(folder: string, { width, depth }: Problem): string | null {
  if (!existsSync(join(repository, "dist", "cli.js"))) return "dist is missing: npm run build";
  const size = ["--width", String(width), "--depth", String(depth)];
  const args = ["train", "swiss-roll", "--iterations", "20", ...size, "--quiet", "--out", join(folder, "run")];
  const trained = spawnSync(process.execPath, [join(repository, "bin", "unnoise.js"), ...args], { encoding: "utf8" });
  return trained.status === 0 ? null : `training failed: ${lastLine(trained.stderr)}`;
}

function startOnce({ command, result }: Start): number | string {
  const [program = "", ...args] = command;
  rmSync(result, { force: true });
  const begin = performance.now();
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  const time = performance.now() - begin;
  if (status !== 0) return `exit ${String(status)}: ${lastLine(stderr)}`;
  const points = readFileSync(result, "utf8")
    .split("\n")
    .filter((line) => /^[-+0-9.]/.test(line)).length;
  return points === COUNT ? time : `wrote ${points} points instead of ${COUNT}`;
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

function entry(row: string, variant: string, status: "absent" | "failed", reason: string): Entry {
  return { row, variant, threads: null, status, reason };
}
