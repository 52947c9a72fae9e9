import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { JobCache, readResult, writeResult } from "./cache.node.ts";
import { jobOf, withNeeds, type Job, type JobKind } from "./job.ts";
import { canonicalJson, jobKey } from "./job-key.node.ts";
import type { Lane } from "./lanes.node.ts";
import { runJobs, type RunJobsOptions } from "./run-jobs.node.ts";

interface SumConfig {
  readonly plus: number;
  readonly fails?: boolean;
}

let performed: string[];
let folder: string;
let atWork = 0;
let mostAtWork = 0;

/** Adds to the sum of what it needs. */
const sumKind: JobKind<SumConfig, { readonly sum: number }> = {
  name: "sum",
  version: 1,
  seconds: () => 1,
  run: ({ plus, fails }, { needs }) => {
    if (fails === true) return Promise.reject(new UnnoiseError("data", "cannot add"));
    const sum = needs.reduce((total, { values }) => total + (values as { sum: number }).sum, plus);
    return Promise.resolve({ values: { sum }, arrays: { sum: floatTensor([sum], [1]) } });
  },
};
const sum = (plus: number, needs: readonly Job[] = [], fails = false): Job<{ readonly sum: number }> =>
  jobOf(sumKind, fails ? { plus, fails } : { plus }, `add ${plus}`, needs);

/** A lane that takes a moment for each job. */
const lane = (): Lane => ({
  close: () => Promise.resolve(),
  run: async ({ folder: own, needs, ...record }, context) => {
    mostAtWork = Math.max(mostAtWork, ++atWork);
    await new Promise((resolve) => setTimeout(resolve, 2));
    atWork--;
    if (context.signal.aborted) throw new UnnoiseError("interrupted", "stopped");
    const inputs = await Promise.all(needs.map((need) => readResult(need)));
    const result = await sumKind.run(record.config as SumConfig, { ...context, folder: own, needs: inputs });
    performed.push(record.label);
    await writeResult(own, record, result);
  },
});

const run = (jobs: readonly Job[], options: Partial<RunJobsOptions> = {}) =>
  runJobs(jobs, {
    cache: new JobCache(folder),
    lanes: [lane(), lane()],
    signal: new AbortController().signal,
    ...options,
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unnoise-jobs-"));
  [performed, atWork, mostAtWork] = [[], 0, 0];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("jobs", () => {
  it("are done once each, after what they need, in all lanes", async () => {
    const [a, b] = [sum(1), sum(2)];
    const [left, right] = [sum(10, [a, b]), sum(20, [sum(1), b])];
    const results = await run([left, right, sum(10, [sum(1), sum(2)])]);
    expect(results.of(left)?.values).toEqual({ sum: 13 });
    expect(results.of(right)?.arrays["sum"]?.data).toEqual(Float32Array.of(23));
    expect([...performed].sort()).toEqual(["add 1", "add 10", "add 2", "add 20"]);
    expect(performed.slice(2).sort()).toEqual(["add 10", "add 20"]);
    expect(mostAtWork).toBe(2);
  });

  it("that are finished are not repeated, and give the same", async () => {
    const first = await run([sum(5, [sum(1)])]);
    performed = [];
    const job = sum(5, [sum(1)]);
    const second = await run([job, sum(6, [sum(1)])]);
    expect(performed).toEqual(["add 6"]);
    expect(second.of(job)).toEqual(first.of(sum(5, [sum(1)])));
  });

  it("that fail take only those with them that need them, and are tried again", async () => {
    const bad = sum(1, [], true);
    const [after, later, other] = [sum(2, [bad]), sum(4, [sum(2, [bad])]), sum(3)];
    const results = await run([later, after, other]);
    expect(results.of(other)?.values).toEqual({ sum: 3 });
    expect([results.of(bad), results.of(after), results.of(later)]).toEqual([undefined, undefined, undefined]);
    expect(results.failures.map(({ job, reason }) => `${job.label}: ${reason}`)).toEqual([
      "add 1: cannot add",
      "add 2: needs add 1, which failed",
      "add 4: needs add 2, which failed",
    ]);
    performed = [];
    expect((await run([bad, other])).failures).toHaveLength(1);
    expect(performed).toEqual([]);
  });

  it("stop at a signal; what was finished is kept", async () => {
    const controller = new AbortController();
    const jobs = [1, 2, 3, 4, 5, 6].map((plus) => sum(plus));
    const onProgress = ({ done }: { readonly done: number }): void => {
      if (done >= 2) controller.abort();
    };
    await expect(run(jobs, { lanes: [lane()], signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "interrupted",
    });
    expect(performed).toEqual(["add 1", "add 2"]);
    await run(jobs);
    expect([...performed].sort()).toEqual(jobs.map(({ label }) => label));
  });

  it("tell how far they are, counting what was finished before", async () => {
    await run([sum(1)]);
    const told: number[] = [];
    await run([sum(1), sum(2)], { onProgress: ({ done, total }) => told.push(done / total) });
    expect([told[0], told.at(-1)]).toEqual([0.5, 1]);
    expect([...told].sort()).toEqual(told);
  });

  it("whose kept result is damaged are named", async () => {
    await run([sum(1)]);
    writeFileSync(join(new JobCache(folder).folderOf(sum(1)), "result.json"), "{");
    await expect(run([sum(1)])).rejects.toMatchObject({ code: "run-folder" });
  });

  it("cannot keep what JSON has no words for", async () => {
    const results = await run([sum(Infinity)]);
    expect(results.failures[0]?.reason).toMatch(/add Infinity: gave Infinity where a finite number was expected/);
  });
});

describe("the key of a job", () => {
  it("depends on kind, configuration and needs, not on the order of keys or the label", () => {
    const key = (config: object, needs: readonly Job[] = []): string =>
      jobKey(jobOf(sumKind, config as SumConfig, "any", needs));
    expect(key({ plus: 1, fails: false })).toBe(key({ fails: false, plus: 1 }));
    const keys = [key({ plus: 1 }), key({ plus: 2 }), key({ plus: 1 }, [sum(1)]), key({ plus: 1 }, [sum(2)])];
    const older = jobKey(jobOf({ ...sumKind, version: 0 }, { plus: 1 }, "any"));
    expect(new Set([...keys, older]).size).toBe(5);
    expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}');
  });

  it("orders needs before what needs them, each once", () => {
    const a = sum(1);
    const b = sum(2, [a]);
    expect(withNeeds([sum(3, [b, a]), b]).map(({ label }) => label)).toEqual(["add 1", "add 2", "add 3"]);
  });
});
