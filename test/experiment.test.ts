import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const PROGRAM = new URL("../bin/unnoise.js", import.meta.url).pathname;
const OUT = "unnoise-experiments";
const STUDY = {
  title: "Widths",
  data: ["moons"],
  seeds: 2,
  points: 100,
  train: { iterations: 150, batchSize: 32, dataSize: 1000, depth: 1, warmup: 10, timesteps: 20, checkpointEvery: 20 },
  grid: { "train.width": [8, 12, 16], "sample.steps": [5, 20] },
};

let root: string;

/** A folder of its own with the file of the study. */
function place(name: string, study: object = STUDY): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "widths.json"), JSON.stringify(study));
  return folder;
}

const run = (cwd: string, ...argv: readonly string[]) =>
  spawnSync(process.execPath, [PROGRAM, "experiment", "widths.json", ...argv], { cwd, encoding: "utf8" });

/** Contents of all files of the report by name. */
function report(folder: string): Record<string, string> {
  const at = join(folder, OUT, "widths");
  const names = readdirSync(at, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(at, name)).isFile(),
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(at, name)).toString("base64")]));
}

/** When each job was finished, by its key. */
function finished(folder: string): Map<string, number> {
  const cache = join(folder, OUT, "cache");
  const keys = existsSync(cache) ? readdirSync(cache) : [];
  const done = keys.filter((key) => existsSync(join(cache, key, "result.json")));
  return new Map(done.map((key) => [key, statSync(join(cache, key, "result.json")).mtimeMs]));
}

let whole: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unnoise-experiment-"));
  whole = place("whole");
  const { status, stderr } = run(whole, "--workers", "2", "--quiet");
  expect([status, stderr]).toEqual([0, ""]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Starts the study and ends it with a signal once so many jobs are finished. */
async function interrupted(folder: string, signal: NodeJS.Signals, jobs: number): Promise<number | null> {
  const child = spawn(process.execPath, [PROGRAM, "experiment", "widths.json", "--workers", "2"], { cwd: folder });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  while (finished(folder).size < jobs && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill(signal);
  return ended;
}

describe("a study in worker threads", () => {
  it("leaves a report with figures, tables and all numbers", () => {
    const files = Object.keys(report(whole));
    expect(files).toContain("report.html");
    expect(files.filter((name) => name.endsWith(".svg")).length).toBeGreaterThan(1);
    expect(files.filter((name) => name.endsWith(".png"))).toHaveLength(
      files.filter((name) => name.endsWith(".svg")).length,
    );
    const results = JSON.parse(readFileSync(join(whole, OUT, "widths/results.json"), "utf8")) as Record<
      string,
      unknown
    >;
    expect(results).toMatchObject({
      study: "widths",
      command: "unnoise experiment widths.json --data moons --seed 0 --seeds 2",
      options: { seed: 0, seeds: 2, data: [{ data: "moons" }] },
      failures: [],
    });
    expect(readFileSync(join(whole, OUT, "widths/report.html"), "utf8")).not.toMatch(/src="(?!data:)|<script/);
  });

  it.each([
    ["SIGINT", 3, 130],
    ["SIGKILL", 7, null],
  ] as const)(
    "interrupted by %s and run again repeats nothing and gives the same bytes",
    async (signal, jobs, code) => {
      const folder = place(signal);
      expect(await interrupted(folder, signal, jobs)).toBe(code);
      const before = finished(folder);
      expect(before.size).toBeGreaterThanOrEqual(jobs);
      expect(before.size).toBeLessThan(finished(whole).size);
      expect(run(folder, "--workers", "1", "--quiet").status).toBe(0);
      const after = finished(folder);
      expect([...before].filter(([key, time]) => after.get(key) !== time)).toEqual([]);
      expect([...after.keys()].sort()).toEqual([...finished(whole).keys()].sort());
      expect(report(folder)).toEqual(report(whole));
    },
  );

  it("gives other results for another seed", () => {
    const folder = place("seed");
    expect(run(folder, "--seed", "5", "--quiet").status).toBe(0);
    expect(report(folder)["tables/ranking.csv"]).not.toBe(report(whole)["tables/ranking.csv"]);
  });

  it("that loses a run reports the others, names the lost one and exits with 1", () => {
    const folder = place("lost", { ...STUDY, seeds: 1, grid: { "train.learningRate": [0.001, 1e30] } });
    const { status, stderr } = run(folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(/warning: train moons, learningRate 1e\+30, seed 0: /);
    expect(stderr).toMatch(/unnoise: \d runs? failed, first train moons.*the same command tries them again\n$/);
    const page = readFileSync(join(folder, OUT, "widths/report.html"), "utf8");
    expect(page).toContain("Failed runs");
    expect(page).toContain("learningRate 0.001");
  });

  it("replaces only its own report, and with other options only when asked", () => {
    expect(run(whole, "--seeds", "1", "--quiet")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /widths holds a report made with other options; replace it with --overwrite/,
      ) as string,
    });
    const folder = place("taken");
    mkdirSync(join(folder, OUT, "widths"), { recursive: true });
    writeFileSync(join(folder, OUT, "widths", "thesis.txt"), "mine");
    expect(run(folder, "--quiet", "--overwrite")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/widths exists and holds no report of unnoise/) as string,
    });
    expect(readdirSync(join(folder, OUT, "widths"))).toEqual(["thesis.txt"]);
  });
});
