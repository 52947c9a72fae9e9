/**
 * Writes docs/benchmark-2d.md: `npm run benchmark:2d [-- --workers 2 --out FOLDER]`. Runs the study of samplers on the three usual data sets with
 * five seeds through the built command line, or takes up where it stopped, and puts its figures on the page.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchmarkPage, type BenchmarkRun } from "../src/experiments/studies/benchmark-page.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({
  options: { workers: { type: "string", default: "2" }, out: { type: "string", default: "runs/benchmark-2d" } },
});
const out = resolve(root, values.out);
const study = ["experiment", "sampling", "--seeds", "5", "--workers", values.workers, "--out", out, "--overwrite"];

const { status } = spawnSync(process.execPath, ["bin/unnoise.js", ...study], { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

/** What is read of the study's results. */
interface Results {
  readonly numbers: { readonly points: number; readonly runs: readonly BenchmarkRun[] };
}

const { numbers } = JSON.parse(readFileSync(join(out, "sampling/results.json"), "utf8")) as Results;
const page = benchmarkPage(numbers.runs, { command: "npm run benchmark:2d", points: numbers.points });
writeFileSync(`${root}docs/benchmark-2d.md`, page);
