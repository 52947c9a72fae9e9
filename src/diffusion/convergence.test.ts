import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { normalCdf } from "../math/special.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { samplerOf } from "./linear-method.ts";
import { edmSigma, halfLogSnr, stepAtSigma } from "./noise-level.ts";
import { seededNoise } from "./noise.ts";
import { mixtureDenoiser } from "./oracles/mixture-denoiser.ts";
import { gaussianMixture } from "./oracles/mixture.ts";
import { finalSample, type Sampler } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { dpmpp2m, dpmpp2mCoefficients } from "./samplers/dpmpp-2m.ts";
import { euler } from "./samplers/euler.ts";
import { heun } from "./samplers/heun.ts";
import { uniPc, uniPcMethod, type UniPcOptions } from "./samplers/unipc.ts";
import { alphaCumprodAt, linearSchedule } from "./schedule.ts";

/** So many steps that integers do not limit where a sampler may stop. */
const T = 200_000;
const schedule = linearSchedule({ timesteps: T, betaStart: 0.1 / T, betaEnd: 20 / T });
const weights = [0.4, 0.6];
const means = [-2, 1];
const deviation = 0.7;
const mixture = gaussianMixture({ weights, means: means.map((mean) => [mean]), covariances: [deviation ** 2] });
const [first, until] = [stepAtSigma(schedule, 30), stepAtSigma(schedule, 0.8)];

const ROWS = 24;
const start = floatTensor(
  Array.from({ length: ROWS }, (_, i) => -2.3 + 0.2 * i),
  [ROWS, 1],
);

/** Distribution function of the noised mixture in x̃ = x/√ᾱ. */
function cdf(x: number, sigma: number): number {
  const spread = Math.hypot(deviation, sigma);
  return weights.reduce((sum, weight, k) => sum + weight * normalCdf((x - at(means, k)) / spread), 0);
}

/** In one dimension the ODE's flow keeps each point's quantile, so that its end is known without a solver. */
function exactEnd(x: number): number {
  const quantile = cdf(x / Math.sqrt(alphaCumprodAt(schedule, first)), edmSigma(schedule, first));
  let [low, high] = [-20, 20];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (cdf(middle, edmSigma(schedule, until)) < quantile) low = middle;
    else high = middle;
  }
  return low * Math.sqrt(alphaCumprodAt(schedule, until));
}
const exact = Array.from(start.data, exactEnd);

/** N steps even in λ. */
function evenSteps(count: number): number[] {
  const [from, to] = [halfLogSnr(schedule, first), halfLogSnr(schedule, until)];
  return Array.from({ length: count }, (_, i) => stepAtSigma(schedule, Math.exp(-(from + ((to - from) * i) / count))));
}

/** Root mean square over the rows. */
async function errorOf(sampler: Sampler, count: number): Promise<number> {
  const denoiser = mixtureDenoiser(mixture, schedule);
  const options = { denoiser, schedule, shape: start.shape, noise: seededNoise(1), start, until };
  const end = await finalSample(sampler({ ...options, steps: evenSteps(count) }));
  return Math.sqrt(exact.reduce((sum, x, i) => sum + (x - at(end.data, i)) ** 2, 0) / ROWS);
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** −d log error/d log N by least squares. */
async function orderOf(sampler: Sampler): Promise<number> {
  const counts = [24, 32, 40, 48, 64];
  const errors: number[] = [];
  for (const count of counts) errors.push(await errorOf(sampler, count));
  // float32 alone makes about 1e-6.
  expect(Math.min(...errors)).toBeGreaterThan(4e-6);
  const [xs, ys] = [counts.map(Math.log), errors.map(Math.log)];
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const covariance = mean(xs.map((x, i) => (x - meanX) * (at(ys, i) - meanY)));
  return -covariance / mean(xs.map((x) => (x - meanX) ** 2));
}

const full = (options: UniPcOptions): Sampler => uniPc({ ...options, lowerOrderFinal: false });

/** UniP-p: the predictor alone. */
function predictor(order: 1 | 2 | 3): Sampler {
  const { name, memory = 0, coefficients } = uniPcMethod({ order, lowerOrderFinal: false });
  return samplerOf({ name, memory, coefficients });
}

describe("order of convergence, as the papers prove it", () => {
  it.each([
    ["DDIM", ddim(), 1],
    ["Euler", euler(), 1],
    ["Heun", heun(), 2],
    ["DPM-Solver++(2M)", dpmpp2m(), 2],
    ["UniPC-1 bh1", full({ order: 1, variant: "bh1" }), 2],
    ["UniPC-1 bh2", full({ order: 1 }), 2],
    ["UniPC-2 bh1", full({ order: 2, variant: "bh1" }), 3],
    ["UniPC-2 bh2", full({ order: 2 }), 3],
    ["UniPC-3", full({ order: 3 }), 4],
  ] satisfies [string, Sampler, number][])("%s: within 0.2", async (_name, sampler, order) => {
    expect(Math.abs((await orderOf(sampler)) - order)).toBeLessThan(0.2);
  });

  it.each([1, 2, 3] as const)("UniP-%i, UniPC without its corrector, has one less", async (order) => {
    expect(Math.abs((await orderOf(predictor(order))) - order)).toBeLessThan(0.2);
  });

  it("a lowered order at the end costs UniPC-3 two of its four", async () => {
    expect(Math.abs((await orderOf(uniPc({ order: 3 }))) - 2)).toBeLessThan(0.2);
  });

  it("an extrapolation that is a tenth too long makes DPM-Solver++(2M) one of first order", async () => {
    const wrong = samplerOf({
      name: "wrong",
      memory: 1,
      coefficients: (schedule, step, previousStep, before) => {
        const { x0, earlier = [], ...rest } = dpmpp2mCoefficients(schedule, step, previousStep, before);
        const extra = -0.1 * (earlier[0] ?? 0);
        return { ...rest, x0: x0 + extra, earlier: earlier.map((weight) => weight - extra) };
      },
    });
    expect(Math.abs((await orderOf(wrong)) - 1)).toBeLessThan(0.5);
  });
});
