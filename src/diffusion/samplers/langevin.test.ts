import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { logSnrSteps } from "../noise-level-steps.ts";
import { seededNoise } from "../noise.ts";
import { gaussianDenoiser } from "../oracle.ts";
import { predictX0FromEps } from "../parameterisation.ts";
import { finalSample, type Denoiser, type SamplerOptions, type SamplerStep } from "../sampler.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt } from "../schedule.ts";
import { rescaleToZeroTerminalSnr } from "../schedules/zero-terminal-snr.ts";
import { langevin, langevinCoefficients } from "./langevin.ts";

const schedule = linearSchedule();
const gaussian = { mean: [1, -2], variance: [0.5, 0.5] };
const COUNT = 5000;
const base: SamplerOptions = {
  denoiser: gaussianDenoiser(gaussian, schedule),
  schedule,
  shape: [COUNT, 2],
  noise: seededNoise(3),
};

/** Mean and variance over both columns together, each column about its own mean. */
function moments({ data }: FloatTensor): { means: number[]; variance: number } {
  const means = [0, 1].map((column) => data.reduce((sum, x, i) => sum + (i % 2 === column ? x : 0), 0) / COUNT);
  const variance = data.reduce((sum, x, i) => sum + (x - at(means, i % 2)) ** 2, 0) / (2 * COUNT - 2);
  return { means, variance };
}

/** Five standard errors of a variance of 2·COUNT normal values, and of a mean of COUNT. */
const varianceTolerance = (variance: number): number => 5 * variance * Math.sqrt(2 / (2 * COUNT));
const meanTolerance = (variance: number): number => 5 * Math.sqrt(variance / COUNT);

/** What x̃ has for variance and for a mean 1 of the data, exactly, after annealing: each update is linear on Gaussian data. */
function annealed(
  steps: Int32Array,
  innerSteps: number,
  stepSize: number,
  { of = schedule, start = 1 } = {},
): { mean: number; variance: number } {
  let [mean, variance] = [0, start / alphaCumprodAt(of, at(steps, 0))];
  for (const step of steps) {
    const sigma2 = noiseVarianceAt(of, step) / alphaCumprodAt(of, step);
    const alpha = stepSize * sigma2;
    const keep = 1 - alpha / 2 / (0.5 + sigma2);
    for (let k = 0; k < innerSteps; k++) [mean, variance] = [1 + keep * (mean - 1), keep ** 2 * variance + alpha];
  }
  return { mean, variance };
}

async function collect(steps: AsyncGenerator<SamplerStep, FloatTensor>): Promise<[SamplerStep[], FloatTensor]> {
  const seen: SamplerStep[] = [];
  const sample = await finalSample(steps, (step) => seen.push(step));
  return [seen, sample];
}

describe("Langevin dynamics at one level", () => {
  const step = 300;
  const stepSize = 1;
  const sigma2 = noiseVarianceAt(schedule, step) / alphaCumprodAt(schedule, step);
  const run = (innerSteps: number): Promise<FloatTensor> =>
    finalSample(langevin({ innerSteps, stepSize, denoise: false })({ ...base, steps: [step] }));

  it("settles at the variance of the discretised process, v/(1 − α/(4v)), not at that of the continuous one", async () => {
    const v = 0.5 + sigma2;
    const stationary = v / (1 - (stepSize * sigma2) / (4 * v));
    const { means, variance } = moments(await run(30));
    expect(Math.abs(variance - stationary)).toBeLessThan(varianceTolerance(stationary));
    expect(Math.abs(variance - v)).toBeGreaterThan(varianceTolerance(stationary));
    gaussian.mean.forEach((m, i) => expect(Math.abs(at(means, i) - m)).toBeLessThan(meanTolerance(stationary)));
  });

  it("is on its way there after few updates, as computed", async () => {
    const { mean, variance } = annealed(Int32Array.of(step), 2, stepSize);
    const got = moments(await run(2));
    expect(Math.abs(got.variance - variance)).toBeLessThan(varianceTolerance(variance));
    expect(Math.abs(at(got.means, 0) - mean)).toBeLessThan(meanTolerance(variance));
    expect(Math.abs(mean - 1)).toBeGreaterThan(2 * meanTolerance(variance));
  });

  it("has the paper's step size α = ε σ²/σ_L²", () => {
    const { eps, noise } = langevinCoefficients(schedule, step, 0.2);
    const signal = Math.sqrt(alphaCumprodAt(schedule, step));
    const alpha = 0.2 * sigma2;
    expect(eps / signal).toBeCloseTo(-alpha / 2 / Math.sqrt(sigma2), 12);
    expect(noise / signal).toBeCloseTo(Math.sqrt(alpha), 12);
  });
});

describe("annealed Langevin dynamics", () => {
  const steps = logSnrSteps(schedule, 12);

  it.each([
    [1, 0.3],
    [4, 0.7],
  ])("gives a Gaussian the computed moments (%i updates a level, step size %f)", async (innerSteps, stepSize) => {
    const expected = annealed(steps, innerSteps, stepSize);
    const got = moments(await finalSample(langevin({ innerSteps, stepSize, denoise: false })({ ...base, steps })));
    expect(Math.abs(got.variance - expected.variance)).toBeLessThan(varianceTolerance(expected.variance));
    expect(Math.abs(at(got.means, 0) - expected.mean)).toBeLessThan(meanTolerance(expected.variance));
    const wrong = annealed(steps, innerSteps, stepSize * 1.5);
    expect(Math.abs(got.variance - wrong.variance)).toBeGreaterThan(varianceTolerance(expected.variance));
  });

  it("ends on x̂0 of the state that it would end on", async () => {
    const short = { ...base, shape: [6, 2], steps };
    const state = await finalSample(langevin({ innerSteps: 2, denoise: false })(short));
    const [seen, sample] = await collect(langevin({ innerSteps: 2 })(short));
    const last = at(seen, 11);
    expect(sample).toBe(last.x0);
    const xt = { ...state, data: state.data.map((x) => x * Math.sqrt(alphaCumprodAt(schedule, 0))) };
    const x0 = predictX0FromEps(xt, base.denoiser(xt, 0) as FloatTensor, schedule, 0);
    sample.data.forEach((x, i) => expect(x).toBeCloseTo(at(x0.data, i), 5));
    expect([...sample.data]).not.toEqual([...state.data]);
  });

  it("asks once an update, and once more to denoise", async () => {
    const asked: number[] = [];
    const denoiser: Denoiser = (xt, step) => (asked.push(step), base.denoiser(xt, step));
    const options = { ...base, shape: [6, 2], denoiser, steps: [900, 20] };
    await finalSample(langevin({ innerSteps: 2 })(options));
    expect(asked.splice(0)).toEqual([900, 900, 20, 20, 20]);
    await finalSample(langevin({ innerSteps: 2, denoise: false })(options));
    expect(asked.splice(0)).toEqual([900, 900, 20, 20]);
    await finalSample(langevin({ innerSteps: 2 })({ ...options, until: 3 }));
    expect(asked.splice(0)).toEqual([900, 900, 20, 20]);
    await finalSample(langevin()(options));
    expect(asked).toHaveLength(11);
  });

  it("draws fresh noise for every update", async () => {
    const addresses: number[] = [];
    const steps = { normals: (out: Float32Array, _: number, __: number, step: number) => void addresses.push(step) };
    const options = { ...base, shape: [6, 2], noise: { start: base.noise.start, steps } };
    await finalSample(langevin({ innerSteps: 3 })({ ...options, steps: [900, 20] }));
    expect(addresses).toEqual([900, 1900, 2900, 20, 1020, 2020]);
  });

  it("goes through a level without signal", async () => {
    const zero = rescaleToZeroTerminalSnr(schedule);
    const eps = gaussianDenoiser(gaussian, zero);
    const denoiser: Denoiser = (xt, step) => {
      const [signal, noise] = [alphaCumprodAt(zero, step), noiseVarianceAt(zero, step)].map(Math.sqrt) as [
        number,
        number,
      ];
      const said = eps(xt, step);
      const x0 = xt.data.map((x, i) => gaussianX0(x, at(gaussian.mean, i % 2), signal, noise));
      const output = { ...xt, data: said.data.map((e, i) => signal * e - noise * at(x0, i)) };
      return { parameterisation: "v", output };
    };
    const levels = logSnrSteps(zero, 20);
    const sampler = langevin({ innerSteps: 2, denoise: false });
    const got = moments(await finalSample(sampler({ ...base, schedule: zero, denoiser, steps: levels })));
    // Two updates of pure noise of variance 1: ¼ of it stays each time, 1 is added.
    const start = (1 / 4 + 1) / 4 + 1;
    const expected = annealed(levels.subarray(1), 2, 1, { of: zero, start });
    expect(Math.abs(got.variance - expected.variance)).toBeLessThan(varianceTolerance(expected.variance));
    expect(Math.abs(at(got.means, 0) - expected.mean)).toBeLessThan(meanTolerance(expected.variance));
  });

  it("rejects options out of range", () => {
    for (const innerSteps of [0, 1.5, NaN])
      expect(() => langevin({ innerSteps })).toThrow(/innerSteps: expected an integer ≥ 1/);
    for (const stepSize of [0, 4, NaN])
      expect(() => langevin({ stepSize })).toThrow(/stepSize: expected a number > 0 and < 4/);
  });
});

/** E[x_0|x_t] of one value. */
function gaussianX0(xt: number, mean: number, signal: number, noise: number): number {
  return mean + ((0.5 * signal) / (signal ** 2 * 0.5 + noise ** 2)) * (xt - signal * mean);
}
