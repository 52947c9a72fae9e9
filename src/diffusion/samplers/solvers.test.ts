import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { edmSigma, halfLogSnr, stepAtSigma } from "../noise-level.ts";
import { seededNoise } from "../noise.ts";
import { gaussianDenoiser } from "../oracle.ts";
import { mixturePosteriorMean } from "../oracles/mixture-denoiser.ts";
import { gaussianMixture } from "../oracles/mixture.ts";
import { finalSample, type Denoiser, type Sampler, type SamplerOptions } from "../sampler.ts";
import { linearSchedule, scheduleFromBetas } from "../schedule.ts";
import { ddim } from "./ddim.ts";
import { ddpmCoefficients } from "./ddpm.ts";
import { dpmpp2mSde, dpmpp2mSdeCoefficients } from "./dpmpp-2m-sde.ts";
import { dpmpp2m, dpmpp2mCoefficients } from "./dpmpp-2m.ts";
import type { ChurnOptions } from "./edm-churn.ts";
import { euler } from "./euler.ts";
import { heun } from "./heun.ts";
import { uniPc, uniPcMethod } from "./unipc.ts";

const schedule = linearSchedule();
const gaussian = { mean: [1, -2], variance: [0.5, 0.1] };
const base: SamplerOptions = {
  denoiser: gaussianDenoiser(gaussian, schedule),
  schedule,
  shape: [50, 2],
  noise: seededNoise(3),
  steps: 20,
};

const gap = (a: FloatTensor, b: FloatTensor): number =>
  a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - at(b.data, i))), 0);

describe("noise levels", () => {
  it("finds each step from its own σ, and from one nearer to it than to its neighbours", () => {
    for (const step of [0, 1, 500, 998, 999]) {
      const sigma = edmSigma(schedule, step);
      expect(stepAtSigma(schedule, sigma)).toBe(step);
      expect(halfLogSnr(schedule, step)).toBeCloseTo(-Math.log(sigma), 12);
    }
    const [low, high] = [edmSigma(schedule, 500), edmSigma(schedule, 501)];
    expect(stepAtSigma(schedule, 0.51 * low + 0.49 * high)).toBe(500);
    expect(stepAtSigma(schedule, 0.49 * low + 0.51 * high)).toBe(501);
    expect([stepAtSigma(schedule, 0), stepAtSigma(schedule, 1e9)]).toEqual([0, 999]);
  });
});

describe("samplers that are one another", () => {
  it("Euler without churn is DDIM with η = 0", async () => {
    const [a, b] = [await finalSample(euler()(base)), await finalSample(ddim()(base))];
    expect([...a.data]).toEqual([...b.data]);
  });

  it("UniP-2 with B₂ is DPM-Solver++(2M), but not with B₁", () => {
    const given = [schedule, 500, 400, [650], 9] as const;
    const two = dpmpp2mCoefficients(schedule, 500, 400, [650]);
    const unip = uniPcMethod({ order: 2 }).coefficients(...given);
    const values = ({ xt, x0, earlier = [] }: typeof two): number[] => [xt, x0, ...earlier];
    values(two).forEach((weight, i) => expect(at(values(unip), i)).toBeCloseTo(weight, 13));
    const other = uniPcMethod({ order: 2, variant: "bh1" }).coefficients(...given);
    expect(Math.abs(other.x0 - two.x0)).toBeGreaterThan(0.01);
  });

  it("the SDE solver's first step is DDPM's with the small variance, and its weights are the paper's", () => {
    const first = dpmpp2mSdeCoefficients(schedule, 700, 600, []);
    expect(first).toEqual({ ...ddpmCoefficients(schedule, 700, 600, "small"), earlier: [] });
    const h = halfLogSnr(schedule, 600) - halfLogSnr(schedule, 700);
    const [alpha, sigma] = [Math.sqrt(at(schedule.alphasCumprod, 600)), Math.sqrt(at(schedule.noiseVariances, 600))];
    expect(first.xt).toBeCloseTo((sigma / Math.sqrt(at(schedule.noiseVariances, 700))) * Math.exp(-h), 12);
    expect(first.x0).toBeCloseTo(-alpha * Math.expm1(-2 * h), 12);
    expect(first.noise).toBeCloseTo(sigma * Math.sqrt(-Math.expm1(-2 * h)), 12);
  });

  it.each([1, 2, 3] as const)("UniPC-%i leaves a state alone whose x̂0 never changes", (order) => {
    const method = uniPcMethod({ order });
    const earlier = [400, 500, 600].slice(0, order);
    const { xt, x0, earlier: before = [] } = method.coefficients(schedule, 300, 200, earlier, 9);
    const corrected = method.corrector?.(schedule, 300, earlier, 9) ?? { last: 0, x0: 0, earlier: [] };
    const sum = (weights: readonly number[]): number => weights.reduce((total, weight) => total + weight, 0);
    const exact = ddimWeights(300, 200);
    expect([xt, x0 + sum(before)]).toEqual([expect.closeTo(exact.xt, 12), expect.closeTo(exact.x0, 12)]);
    const back = ddimWeights(400, 300);
    expect(corrected.last).toBeCloseTo(back.xt, 12);
    expect(corrected.x0 + sum(corrected.earlier)).toBeCloseTo(back.x0, 12);
  });

  it.each([
    [600, 10, 0.1, "short steps, by a few terms of their series"],
    [400, 180, 1, "the longest steps of their series"],
    [400, 290, 2, "long steps, by recursion"],
  ])("UniPC-3 integrates quadratic x̂0 exactly: from %i, stride %i, h below %f, %s", (step, stride, below) => {
    const nodes = [step, step + stride, step + 2 * stride];
    const to = step - stride;
    const { x0, earlier = [] } = uniPcMethod({ order: 3 }).coefficients(schedule, step, to, nodes.slice(1), 9);
    const [from, h] = [halfLogSnr(schedule, step), halfLogSnr(schedule, to) - halfLogSnr(schedule, step)];
    expect(h < below && h > below / 2).toBe(true);
    const predicted = (lambda: number): number => 0.4 + ((lambda - from) / h) * (1.7 + (0.8 * (lambda - from)) / h);
    const weighted = [x0, ...earlier].reduce(
      (sum, weight, i) => sum + weight * predicted(halfLogSnr(schedule, at(nodes, i))),
      0,
    );
    const parts = 2000;
    let integral = 0;
    for (let i = 0; i < parts; i++) {
      const u = (i + 0.5) / parts;
      integral += (h / parts) * Math.exp(-h * (1 - u)) * predicted(from + h * u);
    }
    const expected = Math.sqrt(at(schedule.alphasCumprod, to)) * integral;
    expect(Math.abs(weighted / expected - 1)).toBeLessThan(1e-6);
  });
});

function ddimWeights(step: number, previousStep: number): { xt: number; x0: number } {
  const { xt, x0 } = dpmpp2mCoefficients(schedule, step, previousStep, []);
  return { xt, x0 };
}

describe("zero terminal SNR", () => {
  const betas = Float64Array.from(schedule.betas).fill(1, 999);
  const zero = scheduleFromBetas(betas);
  const mixture = gaussianMixture({ means: [gaussian.mean], covariances: [gaussian.variance] });
  const denoiser: Denoiser = (xt, step) => ({
    parameterisation: "x0",
    output: mixturePosteriorMean(mixture, zero, xt, step),
  });
  const start = { ...base, schedule: zero, denoiser };

  it.each([
    ["euler", euler()],
    ["euler, churned", euler({ churn: 10 })],
    ["dpmpp-2m", dpmpp2m()],
    ["unipc 1", uniPc({ order: 1 })],
    ["unipc 2 bh1", uniPc({ variant: "bh1" })],
    ["unipc 3", uniPc({ order: 3 })],
  ] satisfies [string, Sampler][])("%s takes a network that predicts x0 from pure noise", async (name, sampler) => {
    const seen: FloatTensor[] = [];
    const end = await finalSample(sampler({ ...start, steps: 200 }), ({ xPrevious }) => seen.push(xPrevious));
    const exact = await finalSample(ddim()({ ...start, steps: 1000 }));
    const same = await finalSample(ddim()({ ...start, steps: [999] }));
    expect(seen).toHaveLength(200);
    expect(gap(same, end)).toBeGreaterThan(0.1);
    if (!name.includes("churned")) expect(gap(end, exact)).toBeLessThan(0.02);
  });

  it("the SDE solver starts from the mean of the data too", async () => {
    const end = await finalSample(dpmpp2mSde()({ ...start, shape: [2000, 2], steps: 50 }));
    const mean = end.data.reduce((sum, x, i) => (i % 2 === 0 ? sum + x : sum), 0) / 2000;
    expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(0.5 / 2000));
  });

  it("Heun says that it has no derivative there", async () => {
    await expect(finalSample(heun()(start))).rejects.toThrow(
      /heun: step 999 has ᾱ = 0, hence σ = ∞, and no derivative in σ; use euler, or leave the step out/,
    );
    await finalSample(heun()({ ...start, steps: [900, 500, 100] }));
  });
});

describe("churn", () => {
  /** What the denoiser is asked at first, and x_t. */
  async function raised(options: ChurnOptions, steps: number[]): Promise<[step: number, states: Float32Array]> {
    const asked: [FloatTensor, number][] = [];
    const denoiser: Denoiser = (xt, step) => {
      asked.push([xt, step]);
      return base.denoiser(xt, step);
    };
    const data = new Float32Array(40_000);
    new Random(5, "data").normals(data, 2);
    const start: FloatTensor = { dtype: "float32", shape: [20_000, 2], data };
    await finalSample(euler(options)({ ...base, denoiser, start, shape: start.shape, steps }));
    const [xt, step] = at(asked, 0);
    return [step, xt.data];
  }
  const sigma = edmSigma(schedule, 500);

  it("raises σ to the step nearest to σ(1 + γ), γ = S_churn/N at most √2 − 1", async () => {
    for (const [churn, gamma] of [
      [0.2, 0.1],
      [0.4, 0.2],
      [50, Math.SQRT2 - 1],
    ] as const) {
      const [step] = await raised({ churn }, [500, 100]);
      expect(step).toBe(stepAtSigma(schedule, sigma * (1 + gamma)));
      expect(step).toBeGreaterThan(510);
    }
  });

  it("only between S_tmin and S_tmax, and never above the schedule", async () => {
    expect((await raised({ churn: 1, sMin: sigma * 1.01 }, [500]))[0]).toBe(500);
    expect((await raised({ churn: 1, sMax: sigma * 0.99 }, [500]))[0]).toBe(500);
    expect((await raised({ churn: 1, sMin: sigma * 0.99, sMax: sigma * 1.01 }, [500]))[0]).toBeGreaterThan(500);
    expect((await raised({ churn: 1 }, [999]))[0]).toBe(999);
  });

  it.each([1, 1.2])("adds noise of variance S_noise² (σ̂² − σ²) in x/√ᾱ: S_noise = %d", async (sNoise) => {
    const [step, states] = await raised({ churn: 1, sNoise }, [500]);
    const data = new Float32Array(states.length);
    new Random(5, "data").normals(data, 2);
    const [before, after] = [500, step].map((t) => Math.sqrt(at(schedule.alphasCumprod, t)));
    const added = Array.from(states, (x, i) => x / (after ?? 0) - at(data, i) / (before ?? 0));
    const variance = added.reduce((sum, z) => sum + z * z, 0) / added.length;
    const expected = sNoise ** 2 * (edmSigma(schedule, step) ** 2 - sigma ** 2);
    // The standard error of a variance is √(2/n) of it.
    expect(Math.abs(variance / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / added.length));
  });

  async function moments(sampler: Sampler): Promise<{ mean: number; variance: number }> {
    const end = await finalSample(sampler({ ...base, shape: [COUNT, 2], steps: 100 }));
    const column = end.data.filter((_, i) => i % 2 === 0);
    const mean = column.reduce((sum, x) => sum + x, 0) / COUNT;
    return { mean, variance: column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (COUNT - 1) };
  }
  const COUNT = 4000;
  // Four standard errors, and 1 % for the discretisation.
  const tolerance = { mean: 4 * Math.sqrt(0.5 / COUNT), variance: 0.5 * (4 * Math.sqrt(2 / COUNT) + 0.01) };

  it.each([
    ["heun", heun({ churn: 40 })],
    ["the SDE solver", dpmpp2mSde()],
  ] satisfies [string, Sampler][])("%s keeps mean and variance of Gaussian data", async (_name, sampler) => {
    const { mean, variance } = await moments(sampler);
    expect(Math.abs(mean - 1)).toBeLessThan(tolerance.mean);
    expect(Math.abs(variance - 0.5)).toBeLessThan(tolerance.variance);
  });

  it("with a tenth more noise than it should does not", async () => {
    const { variance } = await moments(heun({ churn: 40, sNoise: 1.1 }));
    expect(Math.abs(variance - 0.5)).toBeGreaterThan(tolerance.variance);
  });

  it.each([{ churn: -1 }, { sMin: NaN }, { sMax: -2 }, { sNoise: -1 }])("rejects %j", (wrong) => {
    expect(() => euler(wrong)).toThrow(/expected a number ≥ 0/);
    expect(() => heun(wrong)).toThrow(Object.keys(wrong)[0]);
  });
});

it("UniPC has orders 1, 2 and 3", () => {
  for (const order of [0, 4, 1.5] as number[]) {
    expect(() => uniPc({ order: order as 1 })).toThrow(/order: expected 1, 2 or 3/);
  }
});
