/** Stops every command many times at random moments, and prints how long each took to end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../src/math/random.ts";
import { prepareFolder, stopLines, stopped, type Stopped } from "../test/stopping.ts";

const TRIES = Number(process.argv[2] ?? 20);
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Moments of the signal, in milliseconds. */
const [FIRST, LAST] = [0, 3000];

const moments = new Float64Array(TRIES);
new Random(Number(process.argv[3] ?? 0), "order").uniforms(moments, TRIES);
const folder = mkdtempSync(join(tmpdir(), "unnoise-stop-"));

async function tries(line: string): Promise<Stopped[]> {
  const found: Stopped[] = [];
  for (let i = 0; i < TRIES; i++) {
    const signal = SIGNALS[i % SIGNALS.length] ?? "SIGINT";
    found.push(await stopped(folder, line, { signal, after: FIRST + (LAST - FIRST) * (moments[i] ?? 0) }));
  }
  return found;
}

try {
  prepareFolder(folder);
  process.stdout.write(
    "| command | tries | stopped at work | worst, s | median, s | exit codes | left |\n| --- | --- | --- | --- | --- | --- | --- |\n",
  );
  for (const line of [...Object.values(stopLines.long), ...Object.values(stopLines.short)].flat()) {
    const found = await tries(line);
    const at = found.filter(({ early }) => !early);
    const seconds = at.map((each) => each.seconds).sort((a, b) => a - b);
    const codes = [...new Set(at.map(({ code }) => code))].sort().join(", ");
    const left = new Set(found.flatMap((each) => each.left)).size;
    const times = [seconds.at(-1), seconds[seconds.length >> 1]].map((value) => value?.toFixed(2) ?? "–").join(" | ");
    process.stdout.write(`| ${line} | ${found.length} | ${at.length} | ${times} | ${codes} | ${left} |\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
