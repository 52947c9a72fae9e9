import { describe, expect } from "vitest";
import { seededNoise } from "../../src/diffusion/noise.ts";
import { gaussianDenoiser } from "../../src/diffusion/oracle.ts";
import { samplerTable, type MethodFlags, type SamplerRow } from "../../src/diffusion/sampler-table.ts";
import { finalSample, type Sampler, type SamplerOptions, type SamplerStep } from "../../src/diffusion/sampler.ts";
import { linearSchedule } from "../../src/diffusion/schedule.ts";
import { spacings } from "../../src/diffusion/spacings.ts";
import { at } from "../../src/math/error.ts";
import { floatTensor, type FloatTensor } from "../../src/tensor/tensor.ts";
import { describeContract, itNotices, type Contract } from "./contract.ts";

const T = 200;
const schedule = linearSchedule({ timesteps: T, betaStart: 5e-4, betaEnd: 0.1 });
const MEAN = 1.5;
const DEVIATION = 0.5;
const COUNT = 4000;
const towards = (mean: number): SamplerOptions["denoiser"] =>
  gaussianDenoiser({ mean: [mean], variance: [DEVIATION ** 2] }, schedule);
const usualSteps = ({ usualSteps: count, usualSpacing }: SamplerRow): Int32Array =>
  spacings[usualSpacing](schedule, count === "all" ? T : count);

function optionsFor(row: SamplerRow, more: Partial<SamplerOptions> = {}): SamplerOptions {
  const steps = usualSteps(row);
  return { denoiser: towards(MEAN), schedule, shape: [40, 1], noise: seededNoise(1), steps, ...more };
}
const end = (row: SamplerRow, more: Partial<SamplerOptions> = {}, flags: MethodFlags = {}): Promise<FloatTensor> =>
  finalSample(row.make(flags)(optionsFor(row, more)));

function moments({ data }: FloatTensor): { mean: number; deviation: number } {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  return { mean, deviation: Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length) };
}

/** What discretisation may add, in deviations: the coarsest sampler of the registry stays below half of it. */
const BIAS = 0.12;

/** A value for each option that a sampler can have, other than the usual one. */
const otherThanUsual: Readonly<Record<keyof MethodFlags, MethodFlags>> = {
  eta: { eta: 0.7 },
  variance: { variance: "small" },
  churn: { churn: 20 },
  order: { order: 1 },
  innerSteps: { innerSteps: 2 },
  stepSize: { stepSize: 0.3 },
  corrections: { corrections: 3 },
  snr: { snr: 0.3 },
};

const contract: Contract<SamplerRow> = {
  "draws what the exact denoiser knows": async (row) => {
    const { mean, deviation } = moments(await end(row, { shape: [COUNT, 1] }));
    const error = 4 * (DEVIATION / Math.sqrt(COUNT));
    expect(Math.abs(mean - MEAN)).toBeLessThan(error + BIAS * DEVIATION);
    expect(Math.abs(deviation - DEVIATION)).toBeLessThan(error / Math.SQRT2 + BIAS * DEVIATION);
  },
  "follows its denoiser: from the same noise, towards other data": async (row) => {
    const [there, back] = [await end(row), await end(row, { denoiser: towards(-MEAN) })];
    const moved = moments(there).mean - moments(back).mean;
    expect(Math.abs(moved - 2 * MEAN)).toBeLessThan(2 * BIAS * DEVIATION);
  },
  "asks about the state where it is, and goes from step to step down to the data": async (row) => {
    const seen: SamplerStep[] = [];
    const sample = await finalSample(row.make({})(optionsFor(row)), (step) => seen.push(step));
    expect(seen.map(({ step }) => step)).toEqual([...usualSteps(row)]);
    expect(seen.map(({ previousStep }) => previousStep)).toEqual([...usualSteps(row).slice(1), -1]);
    expect(at(seen, seen.length - 1).xPrevious.data).toEqual(sample.data);
    const [first, last] = [at(seen, 0), at(seen, seen.length - 1)];
    expect(Math.max(...sample.data.map((x, i) => Math.abs(x - at(last.x0.data, i))))).toBeLessThan(1e-5);
    expect(first.xPrevious.data).not.toEqual(first.xt.data);
  },
  "gives a sample the same values in any part, and repeats by seed": async (row) => {
    const whole = await end(row, { shape: [10, 1] });
    const part = await end(row, { shape: [3, 1], firstIndex: 7 });
    expect([...part.data]).toEqual([...whole.data.slice(7)]);
    expect((await end(row, { shape: [10, 1] })).data).toEqual(whole.data);
    expect((await end(row, { shape: [10, 1], noise: seededNoise(2) })).data).not.toEqual(whole.data);
  },
  "keeps to the range that x̂_0 is clipped to": async (row) => {
    const { data } = await end(row, { clip: [1.2, 1.6] });
    expect(Math.min(...data)).toBeGreaterThan(1.199);
    expect(Math.max(...data)).toBeLessThan(1.601);
  },
  "stops when it is asked to, and names a step that is not finite": async (row) => {
    const controller = new AbortController();
    controller.abort();
    await expect(end(row, { signal: controller.signal })).rejects.toMatchObject({ code: "interrupted" });
    const broken = (xt: FloatTensor): FloatTensor => floatTensor(new Float32Array(xt.data.length).fill(NaN), xt.shape);
    await expect(end(row, { denoiser: broken })).rejects.toMatchObject({ code: "not-finite" });
    await expect(end(row, { denoiser: broken })).rejects.toThrow(/step \d+/);
  },
  "does something by each of its options, and nothing by those of others": async (row) => {
    const usual = await end(row);
    for (const name of Object.keys(otherThanUsual) as (keyof MethodFlags)[]) {
      const { data } = await end(row, {}, otherThanUsual[name]);
      if (row.flags.includes(name)) expect(data, name).not.toEqual(usual.data);
      else expect(data, name).toEqual(usual.data);
    }
  },
  "has words and usual steps": ({ label, usualSteps: count, usualSpacing }) => {
    expect(label.trim()).toMatch(/\S/);
    expect(count === "all" || (Number.isInteger(count) && count >= 1)).toBe(true);
    expect(Object.keys(spacings)).toContain(usualSpacing);
  },
};

describeContract("sampler", contract, samplerTable);

describe("controls", () => {
  const { ddim } = samplerTable;
  const changed = (change: (options: SamplerOptions) => SamplerOptions): SamplerRow => ({
    ...ddim,
    make: (flags) => (options) => ddim.make(flags)(change(options)),
  });
  const zero: SamplerOptions["denoiser"] = ({ data, shape }) => floatTensor(new Float32Array(data.length), shape);
  const ignoring = changed((options) => ({ ...options, denoiser: zero }));
  itNotices("a sampler that ignores its network", contract, ignoring, [
    "draws what the exact denoiser knows",
    "follows its denoiser: from the same noise, towards other data",
    "stops when it is asked to, and names a step that is not finite",
  ]);
  const others = changed((options) => ({ ...options, firstIndex: 0 }));
  itNotices("a sampler whose draws depend on the part", contract, others, [
    "gives a sample the same values in any part, and repeats by seed",
  ]);
  const impatient = changed((options) => ({ ...options, steps: [T - 1, 0] }));
  itNotices("a sampler that leaves steps out", contract, impatient, [
    "asks about the state where it is, and goes from step to step down to the data",
  ]);
  const unclipped: Sampler = ({ clip: _, ...options }) => ddim.make({})(options);
  itNotices("a sampler that does not clip", contract, { ...ddim, make: () => unclipped }, [
    "keeps to the range that x̂_0 is clipped to",
    "does something by each of its options, and nothing by those of others",
  ]);
});
