import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { seededNoise } from "../noise.ts";
import { gaussianDenoiser } from "../oracle.ts";
import { finalSample, type Denoiser, type SamplerOptions, type StepCoefficients } from "../sampler.ts";
import {
  alphaCumprodAt,
  betaAt,
  linearSchedule,
  noiseVarianceAt,
  scheduleFromBetas,
  type NoiseSchedule,
} from "../schedule.ts";
import { trailingSteps } from "../steps.ts";
import { ddim, ddimCoefficients } from "./ddim.ts";
import { ddpm, ddpmCoefficients } from "./ddpm.ts";
import { predictorCorrector, reverseDiffusionCoefficients, type PredictorName } from "./predictor-corrector.ts";

const schedule = linearSchedule();
const S2 = 0.5;
const VALUES = 10_000;

function optionsOf(width: number, steps: number): SamplerOptions {
  const mean = Array.from({ length: width }, () => 1);
  const denoiser = gaussianDenoiser({ mean, variance: mean.map(() => S2) }, schedule);
  return { denoiser, schedule, shape: [Math.round(VALUES / width), width], noise: seededNoise(5), steps };
}

function momentsOf({ data }: FloatTensor): { mean: number; variance: number } {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  return { mean, variance: data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (data.length - 1) };
}

const varianceTolerance = (variance: number): number => 5 * variance * Math.sqrt(2 / VALUES);
const meanTolerance = (variance: number): number => 5 * Math.sqrt(variance / VALUES);

type Coefficients = (schedule: NoiseSchedule, t: number, s: number) => StepCoefficients;
const predictors: [PredictorName, Coefficients][] = [
  ["ddpm", (of, t, s) => ddpmCoefficients(of, t, s, "large")],
  ["ddim", (of, t, s) => ddimCoefficients(of, t, s, 0)],
  ["reverse-diffusion", reverseDiffusionCoefficients],
];

/** Mean and variance of the sample, exactly: every part of a step is linear on data N(1, s²). `noiseFactor` is 2 in √(2ε). */
function computed(coefficients: Coefficients, count: number, corrections: number, snr: number, noiseFactor = 2) {
  const stops = [...trailingSteps(schedule.timesteps, count), -1];
  let [mean, variance] = [0, 1];
  stops.slice(0, -1).forEach((t, i) => {
    const s = at(stops, i + 1);
    const [signal, noise] = [alphaCumprodAt(schedule, t), noiseVarianceAt(schedule, t)];
    const weights = coefficients(schedule, t, s);
    const epsGain = Math.sqrt(noise) / (signal * S2 + noise);
    const x0Gain = (Math.sqrt(signal) * S2) / (signal * S2 + noise);
    const gain = weights.xt + weights.eps * epsGain + weights.x0 * x0Gain;
    // x̂0 and ε in terms of the distance from √ᾱ m, plus what they are there.
    mean = gain * (mean - Math.sqrt(signal)) + weights.xt * Math.sqrt(signal) + weights.x0;
    variance = gain ** 2 * variance + weights.noise ** 2;
    if (s === -1) return;
    const [kept, marginal] = [
      Math.sqrt(alphaCumprodAt(schedule, s)),
      alphaCumprodAt(schedule, s) * S2 + noiseVarianceAt(schedule, s),
    ];
    const epsilon = 2 * (1 - betaAt(schedule, s)) * snr ** 2 * noiseVarianceAt(schedule, s);
    for (let k = 0; k < corrections; k++) {
      mean = kept + (1 - epsilon / marginal) * (mean - kept);
      variance = (1 - epsilon / marginal) ** 2 * variance + noiseFactor * epsilon;
    }
  });
  return { mean, variance };
}

describe.each(predictors)("predictor–corrector with %s", (predictor, coefficients) => {
  it("gives a Gaussian the computed moments", async () => {
    const options = { predictor, corrections: 2, snr: 0.3 };
    const got = momentsOf(await finalSample(predictorCorrector(options)(optionsOf(2, 12))));
    const expected = computed(coefficients, 12, 2, 0.3);
    expect(Math.abs(got.variance - expected.variance)).toBeLessThan(varianceTolerance(expected.variance));
    expect(Math.abs(got.mean - expected.mean)).toBeLessThan(meanTolerance(expected.variance));
    const wrong = computed(coefficients, 12, 2, 0.3, 1);
    expect(Math.abs(got.variance - wrong.variance)).toBeGreaterThan(varianceTolerance(expected.variance));
  });

  it("brings the variance of few steps nearer to the data's", () => {
    const error = (corrections: number): number => Math.abs(computed(coefficients, 20, corrections, 0.3).variance - S2);
    expect(error(3)).toBeLessThan(error(0));
  });

  it("asks at the step left, then at the step reached, but never corrects the data", async () => {
    const asked: number[] = [];
    const options = optionsOf(2, 2);
    const denoiser: Denoiser = (xt, step) => (asked.push(step), options.denoiser(xt, step));
    await finalSample(predictorCorrector({ predictor, corrections: 2 })({ ...options, shape: [3, 2], denoiser }));
    expect(asked).toEqual([999, 499, 499, 499]);
  });
});

describe("predictor–corrector", () => {
  it("without corrections is its predictor", async () => {
    const options = { ...optionsOf(2, 9), shape: [20, 2] };
    const pairs = [
      [predictorCorrector({ predictor: "ddpm", corrections: 0 }), ddpm()],
      [predictorCorrector({ predictor: "ddim", corrections: 0 }), ddim()],
    ] as const;
    for (const [ours, theirs] of pairs) {
      expect([...(await finalSample(ours(options))).data]).toEqual([...(await finalSample(theirs(options))).data]);
    }
  });

  it("draws fresh noise for the predictor and each correction", async () => {
    const addresses: number[] = [];
    const steps = { normals: (_: Float32Array, __: number, ___: number, step: number) => void addresses.push(step) };
    const options = { ...optionsOf(2, 2), shape: [3, 2], noise: { start: seededNoise(1).start, steps } };
    await finalSample(predictorCorrector({ corrections: 2 })(options));
    expect(addresses).toEqual([999, 1999, 2999]);
  });

  it("corrects by ε g + √(2ε) z with ε = 2α_s r² (1 − ᾱ_s), of the step reached", async () => {
    const steep = scheduleFromBetas([0.1, 0.4, 0.7]);
    const one = (): FloatTensor => floatTensor([1, 1], [1, 2]);
    const noise = { start: seededNoise(1).start, steps: { normals: (z: Float32Array) => void z.fill(1) } };
    const options = { denoiser: one, schedule: steep, shape: [1, 2], noise, start: one(), steps: [2], until: 1 };
    const plain = await finalSample(ddim()(options));
    const corrected = await finalSample(predictorCorrector({ predictor: "ddim", snr: 0.3 })(options));
    const size = (alpha: number): number => 2 * alpha * 0.3 ** 2 * noiseVarianceAt(steep, 1);
    const shift = (epsilon: number): number => -epsilon / Math.sqrt(noiseVarianceAt(steep, 1)) + Math.sqrt(2 * epsilon);
    expect(at(corrected.data, 0) - at(plain.data, 0)).toBeCloseTo(shift(size(0.6)), 6);
    expect(Math.abs(shift(size(0.3)) - shift(size(0.6)))).toBeGreaterThan(0.01);
  });

  it("with the norms of each sample agrees where D is large, and is thrown far off where D is 2", async () => {
    const error = async (width: number, norms: "expected" | "sample"): Promise<number> => {
      const sampler = predictorCorrector({ norms, corrections: 2, snr: 0.3 });
      return Math.abs(momentsOf(await finalSample(sampler(optionsOf(width, 12)))).variance - S2);
    };
    expect(await error(250, "sample")).toBeLessThan(0.1);
    expect(await error(2, "expected")).toBeLessThan(0.1);
    expect(await error(2, "sample")).toBeGreaterThan(0.5);
  });

  it("with the norms of each sample does not see the batch", async () => {
    const sampler = predictorCorrector({ norms: "sample" });
    const options = { ...optionsOf(5, 6), shape: [6, 5] };
    const whole = await finalSample(sampler(options));
    const rest = await finalSample(sampler({ ...options, shape: [2, 5], firstIndex: 4 }));
    expect([...rest.data]).toEqual([...whole.data.subarray(20)]);
  });

  it("reverse diffusion is the ancestral step to first order in β", () => {
    for (const t of [10, 500, 999]) {
      const [a, b] = [reverseDiffusionCoefficients(schedule, t, t - 1), ddpmCoefficients(schedule, t, t - 1, "large")];
      const beta = betaAt(schedule, t);
      const [signal, noise] = [alphaCumprodAt(schedule, t), noiseVarianceAt(schedule, t)].map(Math.sqrt) as [
        number,
        number,
      ];
      const [ofXt, ofEps] = [b.xt + b.x0 / signal, (-b.x0 * noise) / signal];
      expect(Math.abs(a.xt - ofXt)).toBeLessThan(beta ** 2);
      expect(Math.abs(a.eps - ofEps)).toBeLessThan(beta ** 2 / noise);
      expect(a.noise).toBe(b.noise);
    }
  });

  it("rejects options out of range", () => {
    for (const corrections of [-1, 0.5, NaN]) expect(() => predictorCorrector({ corrections })).toThrow(/corrections/);
    for (const snr of [0, -1, NaN, Infinity])
      expect(() => predictorCorrector({ snr })).toThrow(/snr: expected a number > 0/);
  });
});
