import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { JobCache } from "../cache.node.ts";
import { jobOf, type Results } from "../job.ts";
import { forwardPathsKind } from "../jobs/forward-paths.node.ts";
import { reversePathsKind } from "../jobs/reverse-paths.node.ts";
import { ownLane } from "../lanes.node.ts";
import { trainJob } from "../measures.node.ts";
import { runJobs } from "../run-jobs.node.ts";
import type { StudyOptions } from "../study.ts";
import { statesOf } from "../tensor-rows.ts";
import { forwardStudy } from "./forward.node.ts";
import { presentTrajectories } from "./trajectories-report.node.ts";
import { trajectoriesStudy } from "./trajectories.node.ts";

const options: StudyOptions = {
  data: [
    { data: "moons", digest: null },
    { data: "cross", digest: null },
  ],
  scale: "quick",
  seed: 0,
  seeds: 1,
};
const nothing: Results = { of: () => undefined, failures: [] };
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

describe("studies of the process", () => {
  it("say what is missing where all runs failed", () => {
    for (const study of [forwardStudy, trajectoriesStudy]) {
      const { findings, sections } = study.plan(options).present(nothing);
      expect(findings).not.toMatch(/NaN|undefined|Infinity/);
      for (const { text } of sections) expect(text).not.toMatch(/NaN|undefined|Infinity/);
      expect(sections.filter(({ text }) => text.includes("failed runs")).length).toBeGreaterThanOrEqual(4);
    }
  });

  it("follow points to noise and back, and tell smooth paths from random ones", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unnoise-paths-"));
    folders.push(folder);
    const source = at(options.data, 0);
    const tiny = { iterations: 500, width: 32, depth: 1, dataSize: 500, timesteps: 100, betaEnd: 0.15 };
    const train = trainJob({ source, seed: 0, scale: "quick" }, tiny);
    const forward = jobOf(forwardPathsKind, { seed: 0, points: 60, times: 8 }, "forward", [train]);
    const reverse = (["ddpm", "ddim"] as const).map((sampler) => ({
      sampler: sampler.toUpperCase(),
      job: jobOf(reversePathsKind, { sampler, seed: 0, times: 8 }, sampler, [train, forward]),
    }));
    const results = await runJobs(
      reverse.map(({ job }) => job),
      { cache: new JobCache(folder), lanes: [ownLane()], signal: new AbortController().signal },
    );
    expect(results.failures).toEqual([]);
    const done = reverse.flatMap(({ job }) => results.of(job) ?? []);
    const [ddpm, ddim] = [at(done, 0).values, at(done, 1).values];
    expect(statesOf(at(done, 0)).shape).toEqual([9, 60, 2]);
    expect(ddpm.times).toEqual([100, 88, 75, 63, 50, 38, 25, 13, 0]);
    expect(ddim.detour.mean).toBeGreaterThanOrEqual(1);
    expect(ddpm.detour.mean).toBeGreaterThan(2 * ddim.detour.mean);
    expect(at(ddim.orders, 0).correlations[0]).toBe(1);
    const subject = { name: "moons", file: "moons", timesteps: 100, forward, reverse };
    const report = presentTrajectories([subject], results);
    const names = report.sections.flatMap(({ figures = [] }) => figures.map(({ name }) => name));
    expect(names).toEqual(expect.arrayContaining(["moons-paths", "moons-flow", "order"]));
  }, 30_000);
});
