import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coldStarts } from "./cold-start.ts";
import { findField } from "./contenders.ts";
import { isFull, readOptions, usage, type Options } from "./options.ts";
import { writeProblem, type ProblemOptions } from "./problem.ts";
import { progress, race } from "./race.ts";
import { insertTables, toMarkdown } from "./report.ts";
import type { CaseResult, Entry, Results } from "./results.ts";
import { libraryVersions, machine, repository } from "./versions.ts";

const cases: readonly ProblemOptions[] = [
  { kind: "train", width: 128, depth: 4, batchSize: 32 },
  { kind: "train", width: 128, depth: 4, batchSize: 256 },
  { kind: "train", width: 128, depth: 4, batchSize: 4096 },
  { kind: "train", width: 256, depth: 4, batchSize: 4096 },
  { kind: "sample", width: 128, depth: 4, batchSize: 256 },
  { kind: "sample", width: 128, depth: 4, batchSize: 10_000 },
];

async function runCases(folder: string, options: Options): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) {
    const { kind, width, depth, batchSize } = one;
    if (!options.only.includes(kind) || (options.batch ?? batchSize) !== batchSize) continue;
    const title = `width ${width}, batch ${batchSize}`;
    progress(`${kind}: ${title}`);
    const entries = await race(writeProblem(folder, one), findField(kind, options.threads), options);
    entries.forEach((entry) => progress(entryLine(entry)));
    results.push({ part: kind, title, parameters: { width, depth, batchSize }, entries });
  }
  if (options.only.includes("cold")) {
    progress("cold start");
    const problem = writeProblem(folder, { kind: "sample", width: 128, depth: 4, batchSize: 100 });
    const entries = coldStarts(folder, problem, findField("sample", null), options);
    entries.forEach((entry) => progress(entryLine(entry)));
    const parameters = { width: 128, depth: 4, count: 100, steps: 50 };
    results.push({ part: "cold", title: "100 points, DDIM in 50 steps", parameters, entries });
  }
  return results;
}

function entryLine({ row, variant, threads, status, reason, median }: Entry): string {
  const time = median === undefined ? `${status}, ${reason ?? ""}` : `${median.toPrecision(3)} ms`;
  return `${row} (${variant}${threads === null ? "" : `, threads ${threads}`}): ${time}`;
}

function versionsOf(results: readonly CaseResult[]): Record<string, string> {
  const found = results.flatMap(({ entries }) => entries.map(({ versions }) => versions ?? {}));
  return Object.assign({}, libraryVersions(), ...found) as Record<string, string>;
}

function save(results: Results): void {
  const folder = join(repository, "bench", "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${results.date}.json`), `${JSON.stringify(results, null, 2)}\n`);
  const page = join(repository, "docs", "benchmarks.md");
  writeFileSync(page, insertTables(readFileSync(page, "utf8"), "bench", toMarkdown(results)));
}

async function main(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "unnoise-bench-"));
  try {
    const found = await runCases(folder, options);
    const results: Results = {
      date: new Date().toISOString().slice(0, 10),
      command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(" "),
      machine: machine(),
      versions: versionsOf(found),
      rounds: options.rounds,
      cases: found,
    };
    if (isFull(options)) save(results);
    console.log(options.json ? JSON.stringify(results, null, 2) : toMarkdown(results));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const options = readOptions();
if (options === "help") console.log(usage);
else await main(options);
