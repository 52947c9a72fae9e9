import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../../math/error.ts";
import { JobCache } from "../cache.node.ts";
import { jobOf, type Results } from "../job.ts";
import { continuationsKind } from "../jobs/continuations.node.ts";
import { knownShareKind } from "../jobs/known-share.node.ts";
import { startEndKind } from "../jobs/start-end.node.ts";
import { ownLane } from "../lanes.node.ts";
import { trainJob } from "../measures.node.ts";
import { runJobs } from "../run-jobs.node.ts";
import { presentInfluence, type InfluencePlan } from "./influence-report.node.ts";
import { influenceStudy } from "./influence.node.ts";

const source = { data: "moons", digest: null };
const small = { iterations: 150, width: 16, depth: 1, dataSize: 2000, timesteps: 40, batchSize: 64 } as const;
const train = trainJob({ source, seed: 1, scale: "quick" }, { ...small, betaEnd: 0.3 });
const common = { states: 24, repeats: 4, replicates: 100, seed: 3 };

const samplers = (["DDPM", "DDIM, η = 0", "DDIM, η = 1"] as const).map((short, index) => {
  const sampling =
    index === 0
      ? ({ sampler: "ddpm", steps: 40 } as const)
      : ({ sampler: "ddim", steps: 10, spacing: "trailing", eta: index - 1 } as const);
  const ends = jobOf(continuationsKind, { ...common, times: [4, 20, 40], sampling }, `continue ${short}`, [train]);
  return { short, ends, map: jobOf(startEndKind, { sampling, count: 40, seed: 3 }, `map ${short}`, [train]) };
});
const known = jobOf(knownShareKind, { times: [4, 20, 40], draws: 300, seed: 3 }, "known", [train]);
const plan: InfluencePlan = { ...common, sets: [{ name: "moons", file: "moons", timesteps: 40, samplers, known }] };
const jobs = [known, ...samplers.flatMap(({ ends, map }) => [ends, map])];

let folder = "";
let results: Results;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unnoise-influence-"));
  results = await runJobs(jobs, {
    cache: new JobCache(folder),
    lanes: [ownLane()],
    signal: new AbortController().signal,
    onFailure: ({ reason }) => {
      throw new UnnoiseError("runtime", reason);
    },
  });
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const valuesOf = (index: number) => results.of(at(samplers, index).ends)?.values;

describe("continuations", () => {
  it("of DDIM with η = 0 end where their state says", () => {
    const values = valuesOf(1);
    expect(values?.label).toContain("DDIM, 10 steps");
    for (const key of ["variance", "distance", "agreement"] as const) {
      for (const { value, low } of values?.[key] ?? []) {
        expect(value).toBeGreaterThan(1 - 1e-6);
        expect(low).toBeGreaterThan(1 - 1e-6);
      }
    }
    expect(values?.decision.value).toBe(40);
  });

  it.each([0, 2])("of samplers with noise remember less, the earlier the state (sampler %i)", (index) => {
    const shares = valuesOf(index)?.variance.map(({ value }) => value) ?? [];
    expect(at(shares, 0)).toBeGreaterThan(at(shares, 1));
    expect(at(shares, 1)).toBeGreaterThan(at(shares, 2));
    expect(at(shares, 2)).toBeLessThan(0.8);
  });

  it("start from the same noise under every sampler", () => {
    const starts = samplers.map(({ map }) => Array.from(results.of(map)?.arrays["starts"]?.data ?? []));
    expect(at(starts, 0)).toHaveLength(80);
    expect(at(starts, 1)).toEqual(at(starts, 0));
  });
});

describe("the exact share", () => {
  it("falls from nearly 1 to nearly 0", () => {
    const { shares = [] } = results.of(known)?.values ?? {};
    expect(at(shares, 0)).toBeGreaterThan(0.8);
    expect(at(shares, 2)).toBeLessThan(0.1);
  });
});

describe("the influence study", () => {
  it("reports what was found", () => {
    const report = presentInfluence(plan, results);
    expect(report.findings).toContain("On moons the start explains");
    const figures = report.sections.flatMap(({ figures: all = [] }) => all.map(({ name }) => name));
    expect(figures).toEqual(["moons-influence", "moons-start-to-end"]);
    const tables = report.sections.flatMap(({ tables: all = [] }) => all);
    expect(tables.map(({ name, rows }) => [name, rows.length])).toEqual([
      ["moons-influence", 9],
      ["moons-decision", 3],
    ]);
  });

  it("says what is missing where jobs failed", () => {
    const failed = at(samplers, 0).ends;
    const without: Results = { ...results, of: (job) => (job === failed ? undefined : results.of(job)) };
    const report = presentInfluence(plan, without);
    expect(report.sections.map(({ text }) => text).join(" ")).toContain("Missing, as the runs failed: DDPM.");
    const nothing = presentInfluence(plan, { of: () => undefined, failures: [] });
    expect(nothing.findings).toBe("No run of this study gave a result.");
  });

  it("plans stops that both samplers make", () => {
    const { jobs: planned } = influenceStudy.plan({ data: [source], scale: "full", seed: 0, seeds: 1 });
    const continued = planned.filter(({ kind }) => kind.name === "continuations");
    expect(continued).toHaveLength(5);
    const { times } = at(continued, 0).config as { readonly times: readonly number[] };
    expect(times).toHaveLength(13);
    expect(times.every((t) => t % 10 === 0)).toBe(true);
    expect(times.at(-1)).toBe(1000);
  });
});
