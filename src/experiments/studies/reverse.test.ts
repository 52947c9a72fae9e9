import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../../math/error.ts";
import { JobCache } from "../cache.node.ts";
import { jobOf, type Results } from "../job.ts";
import { reverseStatesKind } from "../jobs/reverse-states.node.ts";
import { scoreErrorKind } from "../jobs/score-error.node.ts";
import { scoreFieldKind } from "../jobs/score-field.node.ts";
import { ownLane } from "../lanes.node.ts";
import { trainJob } from "../measures.node.ts";
import { runJobs } from "../run-jobs.node.ts";
import { presentReverse, type ReversePlan } from "./reverse-report.node.ts";
import { reverseStudy } from "./reverse.node.ts";

const source = { data: "moons", digest: null };
const small = {
  iterations: 150,
  width: 16,
  depth: 1,
  dataSize: 2000,
  timesteps: 40,
  betaEnd: 0.3,
  batchSize: 64,
} as const;
const train = trainJob({ source, seed: 1, scale: "quick" }, small);
const leastDensity = 1e-4;

const frames = jobOf(reverseStatesKind, { times: [40, 20, 5], count: 30, seed: 2 }, "frames", [train]);
const plan: ReversePlan = {
  name: "moons",
  file: "moons",
  timesteps: 40,
  stateTimes: [40, 10],
  fieldTimes: [20, 5],
  frameTimes: [40, 20, 5],
  leastDensity,
  rows: 200,
  states: jobOf(reverseStatesKind, { times: [40, 10], count: 50, seed: 2 }, "states", [train]),
  field: jobOf(scoreFieldKind, { times: [20, 5], side: 8, leastDensity, points: 100, seed: 2 }, "field", [train]),
  error: jobOf(scoreErrorKind, { times: [1, 10, 20, 40], rows: 200, seed: 2 }, "error", [train]),
  frames,
};

let folder = "";
let results: Results;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-reverse-"));
  results = await runJobs([plan.states, plan.field, plan.error, frames], {
    cache: new JobCache(folder),
    lanes: [ownLane()],
    signal: new AbortController().signal,
    onFailure: ({ reason }) => {
      throw new UnnoiseError("runtime", reason);
    },
  });
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("states of the reverse process", () => {
  it("come with forecasts that get better", () => {
    const done = results.of(plan.states);
    expect(done?.arrays["xt"]?.shape).toEqual([2, 50, 2]);
    expect(done?.arrays["x0"]?.shape).toEqual([2, 50, 2]);
    const { surprise = [] } = done?.values ?? {};
    expect(at(surprise, 1)).toBeLessThan(at(surprise, 0));
  });

  it("are the same whatever else is kept", () => {
    const first = (job: typeof plan.states): number[] =>
      Array.from(results.of(job)?.arrays["xt"]?.data.subarray(0, 60) ?? []);
    expect(first(frames)).toHaveLength(60);
    expect(first(frames)).toEqual(first(plan.states));
  });
});

describe("the learned score", () => {
  it("is asked for where noised points are", () => {
    const arrays = results.of(plan.field)?.arrays ?? {};
    for (const index of [0, 1]) {
      const [places = 0] = arrays[`places-${index}`]?.shape ?? [];
      expect(places).toBeGreaterThan(10);
      expect(places).toBeLessThanOrEqual(64);
      expect(arrays[`learned-${index}`]?.shape).toEqual([places, 2]);
      expect(arrays[`exact-${index}`]?.shape).toEqual([places, 2]);
    }
  });

  it("loses the Bayes loss and its own error", () => {
    for (const { loss, bayes, excess } of results.of(plan.error)?.values.times ?? []) {
      const error = Math.hypot(loss.standardError, bayes.standardError, excess.standardError);
      expect(Math.abs(loss.mean - bayes.mean - excess.mean)).toBeLessThan(4 * error);
    }
  });
});

describe("the reverse study", () => {
  it("reports what was found", () => {
    const report = presentReverse([plan], results);
    expect(report.findings).toContain("On moons the learned score is off by");
    const figures = report.sections.flatMap(({ figures: all = [] }) => all.map(({ name }) => name));
    expect(figures).toEqual(["moons-reverse", "moons-reverse-moving", "moons-score", "moons-score-error"]);
  });

  it("says what is missing where jobs failed", () => {
    const report = presentReverse([plan], { of: () => undefined, failures: [] });
    expect(report.sections.filter(({ text }) => text.includes("failed"))).toHaveLength(3);
  });

  it("moves for the first data set alone", () => {
    const data = [source, { data: "cross", digest: null }];
    const { jobs } = reverseStudy.plan({ data, scale: "quick", seed: 0, seeds: 1 });
    expect(jobs.filter(({ label }) => label.endsWith("moving"))).toHaveLength(1);
  });
});
