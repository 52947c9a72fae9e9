import { describe, expect, it, test } from "vitest";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { meanOf, type MeanEstimate } from "../../math/running-mean.ts";
import { floatTensor, type Tensor } from "../../tensor/tensor.ts";
import { qSample, transitionAlpha, transitionBeta } from "../forward.ts";
import { posteriorVariance } from "../posterior.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, scheduleFromBetas } from "../schedule.ts";
import { mixtureDenoiser, mixtureScore } from "./mixture-denoiser.ts";
import { bayesLoss, mixtureEntropy, optimalVariance, sampleMixture } from "./mixture-draws.ts";
import { gaussianMixture } from "./mixture.ts";

const schedule = linearSchedule();
const random = new Random(17, "metric");
const few = { count: 10, random };
const mixture = gaussianMixture({
  means: [
    [-1, 0.5],
    [1, 0],
  ],
  covariances: [
    [
      [0.3, 0.2],
      [0.2, 0.4],
    ],
    [
      [0.5, -0.1],
      [-0.1, 0.1],
    ],
  ],
  weights: [0.3, 0.7],
});

const surprise = (a: MeanEstimate, b: MeanEstimate): number =>
  Math.abs(a.mean - b.mean) / Math.hypot(a.standardError, b.standardError);

describe("Bayes loss", () => {
  it("of one Gaussian is ᾱ s²/(ᾱ s² + 1 − ᾱ), without error", () => {
    const variances = [0.25, 3];
    const gaussian = gaussianMixture({ means: [[5, -1]], covariances: [variances] });
    for (const step of [0, 250, 999]) {
      const [abar, n] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
      const expected = meanOf(variances.map((s2) => (abar * s2) / (abar * s2 + n))).mean;
      const { mean, standardError } = bayesLoss(gaussian, schedule, step, few);
      expect(Math.abs(mean / expected - 1)).toBeLessThan(1e-12);
      expect(standardError).toBeLessThan(1e-12 * expected);
    }
  });

  it.each([5, 100, 400])("at step %d is the loss that the oracle has on noised data, with less variance", (step) => {
    const count = 6000;
    const x0 = sampleMixture(mixture, count, new Random(2, "data"));
    const eps = floatTensor(new Float32Array(2 * count), [count, 2]);
    new Random(2, "noise").normals(eps.data, 2);
    const predicted = mixtureDenoiser(mixture, schedule)(qSample(x0, eps, schedule, step), step).data;
    const losses = Array.from({ length: count }, (_, row) => {
      const error = (axis: number): number => at(eps.data, 2 * row + axis) - at(predicted, 2 * row + axis);
      return (error(0) ** 2 + error(1) ** 2) / 2;
    });
    const measured = meanOf(losses);
    const bayes = bayesLoss(mixture, schedule, step, { count, random });
    expect(surprise(measured, bayes)).toBeLessThan(4);
    expect(surprise(measured, { ...bayes, mean: 1.15 * bayes.mean })).toBeGreaterThan(4);
    expect(bayes.standardError).toBeLessThan(measured.standardError);
  });

  it("is 0 where no data are left, and for a single point", () => {
    expect(bayesLoss(mixture, scheduleFromBetas([0.5, 1]), 1, few).mean).toBe(0);
    expect(bayesLoss(gaussianMixture({ means: [[1, 2]], covariances: [0] }), schedule, 3, few).mean).toBe(0);
  });

  it("refuses the data and too few draws", () => {
    expect(() => bayesLoss(mixture, schedule, -1, few)).toThrow(/step: expected/);
    expect(() => bayesLoss(mixture, schedule, 1, { count: 1, random })).toThrow(/count: expected an integer ≥ 2/);
  });
});

describe("optimal variance", () => {
  const pairs: [step: number, previousStep: number][] = [
    [0, -1],
    [1, 0],
    [400, 399],
    [400, 100],
    [999, -1],
  ];

  it.each(pairs)(
    "of isotropic Gaussian data is Var(x_s|x_t) of the joint Gaussian, from %d to %d",
    (step, previousStep) => {
      const s2 = 0.6;
      const gaussian = gaussianMixture({ means: [[1, 2]], covariances: [s2] });
      const { mean, standardError } = optimalVariance(gaussian, schedule, step, { ...few, previousStep });
      const marginal = (t: number): number => alphaCumprodAt(schedule, t) * s2 + noiseVarianceAt(schedule, t);
      const expected = (marginal(previousStep) * transitionBeta(schedule, step, previousStep)) / marginal(step);
      expect(Math.abs(mean / expected - 1)).toBeLessThan(1e-10);
      expect(standardError).toBeLessThan(1e-12);
    },
  );

  it.each([0, 0.3])("is the form of Bao et al. by the score, λ² = %d of 1 − ᾱ_s", (part) => {
    const [step, previousStep, count] = [300, 200, 8000];
    const lambda2 = part * noiseVarianceAt(schedule, previousStep);
    const options = { count, random, previousStep, posteriorVariance: lambda2 };
    const xt = noisedSample(step, count);
    const score = mixtureScore(mixture, schedule, xt, step).data;
    const n = noiseVarianceAt(schedule, step);
    const alpha = transitionAlpha(schedule, step, previousStep);
    const factor = (Math.sqrt(n / alpha) - Math.sqrt(noiseVarianceAt(schedule, previousStep) - lambda2)) ** 2;
    const byScore = meanOf(
      Array.from({ length: count }, (_, i) => {
        const squares = (at(score, 2 * i) ** 2 + at(score, 2 * i + 1) ** 2) / 2;
        return lambda2 + factor * (1 - n * squares);
      }),
    );
    const own = optimalVariance(mixture, schedule, step, options);
    expect(surprise(byScore, own)).toBeLessThan(4);
    expect(surprise(byScore, { ...own, mean: lambda2 + 1.3 * (own.mean - lambda2) })).toBeGreaterThan(4);
  });

  it("with λ² = β̃ is the default, and lies between β̃ and β̃ + c² times the data's variance", () => {
    for (const [step, previousStep] of pairs) {
      const given = posteriorVariance(schedule, step, previousStep);
      const options = { count: 200, random, previousStep };
      const own = optimalVariance(mixture, schedule, step, options);
      const explicit = optimalVariance(mixture, schedule, step, { ...options, posteriorVariance: given });
      expect(Math.abs(own.mean / explicit.mean - 1)).toBeLessThan(1e-9);
      expect(own.mean).toBeGreaterThan(given);
    }
  });

  it("refuses λ² above 1 − ᾱ_s and steps out of order", () => {
    expect(() => optimalVariance(mixture, schedule, 5, { ...few, posteriorVariance: 1 })).toThrow(/posteriorVariance/);
    expect(() => optimalVariance(mixture, schedule, 5, { ...few, previousStep: 5 })).toThrow(/before 5/);
  });
});

function noisedSample(step: number, count: number): Tensor<"float64"> {
  const x0 = sampleMixture(mixture, count, new Random(6, "data")).data;
  const data = new Float64Array(x0.length);
  new Random(6, "noise").normals(data, 2);
  const [signal, noise] = [Math.sqrt(alphaCumprodAt(schedule, step)), Math.sqrt(noiseVarianceAt(schedule, step))];
  return { dtype: "float64", shape: [count, 2], data: data.map((z, i) => signal * at(x0, i) + noise * z) };
}

test("entropy of one Gaussian is D/2 log 2πe + ½ log det Σ within its error, and a wrong one is not", () => {
  const gaussian = gaussianMixture({
    means: [[1, 2]],
    covariances: [
      [
        [0.3, 0.2],
        [0.2, 0.4],
      ],
    ],
  });
  const entropy = mixtureEntropy(gaussian, { count: 4000, random });
  const expected = Math.log(2 * Math.PI * Math.E) + 0.5 * Math.log(0.3 * 0.4 - 0.04);
  expect(Math.abs(entropy.mean - expected)).toBeLessThan(4 * entropy.standardError);
  expect(Math.abs(entropy.mean - expected - 0.1)).toBeGreaterThan(4 * entropy.standardError);
  // The standard error itself: half a χ² of 2 degrees of freedom has variance 1.
  expect(entropy.standardError * Math.sqrt(4000)).toBeCloseTo(1, 1);
  expect(() => mixtureEntropy(gaussianMixture({ means: [[1]], covariances: [0] }), few)).toThrow(/no density/);
});
