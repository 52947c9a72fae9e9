import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { JobCache } from "./cache.node.ts";
import type { GridStudy } from "./grid.ts";
import { gridJobs } from "./grid-jobs.node.ts";
import { gridPlan } from "./grid-plan.node.ts";
import { stepLossJob } from "./jobs/step-loss.node.ts";
import { ownLane } from "./lanes.node.ts";
import { runJobs } from "./run-jobs.node.ts";
import type { StudyOptions } from "./study.ts";

const study: GridStudy = {
  name: "tiny",
  title: "Tiny",
  question: "Does it work?",
  training: { iterations: 60, width: 16, depth: 1, timesteps: 20, batchSize: 64, dataSize: 500, warmup: 10 },
  sizes: { points: 60, bound: { rows: 20, stepsPerRow: 5 } },
  settings: [
    { label: "five", training: {}, sampling: { sampler: "ddpm", steps: 5 } },
    { label: "all", training: {}, sampling: { sampler: "ddpm", steps: 20 } },
    { label: "too many", training: {}, sampling: { sampler: "ddim", steps: 21 } },
  ],
};
const options: StudyOptions = { data: [{ data: "moons", digest: null }], scale: "quick", seed: 3, seeds: 2 };
const signal = new AbortController().signal;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-grid-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a grid trains once for equal training, measures every setting, and names what failed", async () => {
  const plan = gridPlan(study, options);
  const loss = stepLossJob(at(gridJobs(study, options), 0).train, { rows: 400, count: 6 });
  const done: string[] = [];
  const run = async () =>
    runJobs([...plan.jobs, loss], {
      cache: new JobCache(folder),
      lanes: [ownLane()],
      signal,
      onProgress: ({ running }) => done.push(...running),
    });
  const results = await run();
  expect(new Set(done.filter((label) => label.startsWith("train"))).size).toBe(2);
  const report = plan.present(results);
  expect(report.findings).toMatch(
    /^Best of 3 settings: (five|all), which reaches .* Failed, and so ranked last: too many \(2 runs\)\.$/,
  );
  expect(report.sections.map(({ heading }) => heading)).toEqual(["Ranking", "What the numbers do", "All metrics"]);
  const runs = report.sections[2]?.tables?.find(({ name }) => name === "runs")?.rows ?? [];
  expect(runs.map((row) => [row[1], row[2], row[3]])).toEqual([
    ...[3, 4].map((seed) => ["five", seed, 5]),
    ...[3, 4].map((seed) => ["all", seed, 20]),
    ...[3, 4].map((seed) => ["too many", seed, null]),
  ]);
  expect(runs.map((row) => typeof row.at(-1) === "number")).toEqual([true, true, true, true, false, false]);
  expect(plan.present(await run())).toEqual(report);

  const losses = results.of(loss)?.values;
  expect(losses?.t).toEqual([1, 2, 4, 8, 13, 20]);
  const isClose = (found: number, expected: number, error: number): boolean =>
    Math.abs(found - expected) < 5 * Math.hypot(error, BAYES_ERROR * expected);
  const steps = losses?.eps.map((eps, i) => {
    const [least, excess, error] = [losses.bayesEps?.[i] ?? 0, losses.excess?.[i] ?? 0, losses.epsError[i] ?? 0];
    const ratio = (1 - (losses.alphasCumprod[i] ?? 0)) / (losses.alphasCumprod[i] ?? 0);
    expect((losses.x0[i] ?? 0) / (eps * ratio)).toBeCloseTo(1, 3);
    return { whole: isClose(eps, least + excess, error), without: isClose(eps, least, error) };
  });
  expect(steps?.every(({ whole }) => whole)).toBe(true);
  expect(steps?.some(({ without }) => !without)).toBe(true);
});

/** Relative error of the least loss by 100 exact posterior variances that vary by half their mean. */
const BAYES_ERROR = 0.05;
