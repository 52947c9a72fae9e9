/**
 * Writes docs/benchmark-2d.md: `npm run benchmark:2d [-- --workers 2]`. Runs the study of samplers on the three usual data sets with five
 * seeds through the built command line, or takes up where it stopped, and puts its figures on the page.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { benchmarkPage, type BenchmarkRun } from "../src/experiments/studies/benchmark-page.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const OUT = "runs/benchmark-2d";
const study = ["experiment", "sampling", "--seeds", "5", "--out", OUT];

const { status } = spawnSync(process.execPath, ["bin/unnoise.js", ...study, "--overwrite", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);

/** What is read of the study's results. */
interface Results {
  readonly numbers: { readonly points: number; readonly runs: readonly BenchmarkRun[] };
}

const { numbers } = JSON.parse(readFileSync(`${root}${OUT}/sampling/results.json`, "utf8")) as Results;
const page = benchmarkPage(numbers.runs, { command: "npm run benchmark:2d", points: numbers.points });
writeFileSync(`${root}docs/benchmark-2d.md`, page);
