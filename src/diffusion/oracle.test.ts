import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { qSample } from "./forward.ts";
import { seededNoise } from "./noise.ts";
import { gaussianDenoiser, idealDenoiser } from "./oracle.ts";
import { predictX0FromEps } from "./parameterisation.ts";
import { finalSample, type Sampler } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { ddpm } from "./samplers/ddpm.ts";
import { alphaCumprodAt, linearSchedule, type NoiseSchedule } from "./schedule.ts";

function draw(rows: number, stream: "data" | "noise"): FloatTensor {
  const data = new Float32Array(rows);
  new Random(11, stream).normals(data, 1);
  return floatTensor(data, [rows, 1]);
}

const mean = (values: Float32Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function variance(values: Float32Array): number {
  const m = mean(values);
  return values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1);
}

describe("Gaussian oracle", () => {
  const gaussian = { mean: [1.5], variance: [0.25] };
  const schedule = linearSchedule();

  it("is the regression of ε on x_t: its error is uncorrelated with x_t, and that of a wrong variance is not", () => {
    const rows = 20_000;
    const x0 = floatTensor(
      draw(rows, "data").data.map((z) => 1.5 + 0.5 * z),
      [rows, 1],
    );
    const eps = draw(rows, "noise");
    const xt = qSample(x0, eps, schedule, 300);
    const covariance = (s2: number): [value: number, standardError: number] => {
      const predicted = gaussianDenoiser({ mean: [1.5], variance: [s2] }, schedule)(xt, 300);
      const centre = mean(xt.data);
      const products = eps.data.map((e, i) => (e - (predicted.data[i] ?? NaN)) * ((xt.data[i] ?? NaN) - centre));
      return [mean(products), Math.sqrt(variance(products) / rows)];
    };
    const [right, rightError] = covariance(0.25);
    const [wrong, wrongError] = covariance(0.3);
    expect(Math.abs(right)).toBeLessThan(4 * rightError);
    expect(Math.abs(wrong)).toBeGreaterThan(4 * wrongError);
  });

  it("rejects batches of another width and broken Gaussians", () => {
    const oracle = gaussianDenoiser(gaussian, schedule);
    expect(() => oracle(floatTensor([1, 2], [1, 2]), 3)).toThrow(/samples of 1 values, got shape \[1, 2\]/);
    expect(() => gaussianDenoiser({ mean: [1], variance: [] }, schedule)).toThrow(/variance/);
    expect(() => gaussianDenoiser({ mean: [1], variance: [-1] }, schedule)).toThrow(/variance/);
  });
});

interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/** σ² of one transition as a test computes it, straight from ᾱ. */
type SigmaSquared = (abarT: number, abarS: number) => number;
const small: SigmaSquared = (abarT, abarS) => ((1 - abarS) / (1 - abarT)) * (1 - abarT / abarS);
const large: SigmaSquared = (abarT, abarS) => (abarS === 1 ? 0 : 1 - abarT / abarS);

/** ε(x) = slope·x + offset of the exact denoiser for N(m, s²). */
function linearEps(m: number, s2: number, abar: number): [slope: number, offset: number] {
  const slope = Math.sqrt(1 - abar) / (abar * s2 + 1 - abar);
  return [slope, -slope * Math.sqrt(abar) * m];
}

type Update = (abarT: number, abarS: number, sigma2: number) => [ofX: number, ofEps: number];
const ancestral: Update = (abarT, abarS) => {
  const [alpha, beta] = [abarT / abarS, 1 - abarT / abarS];
  return [1 / Math.sqrt(alpha), -beta / Math.sqrt(1 - abarT) / Math.sqrt(alpha)];
};
const implicit: Update = (abarT, abarS, sigma2) => [
  Math.sqrt(abarS / abarT),
  Math.sqrt(1 - abarS - sigma2) - Math.sqrt((abarS * (1 - abarT)) / abarT),
];

/** Every update is linear in x and z, so mean and variance of the sampler's output follow exactly from N(0, 1). */
function propagate(schedule: NoiseSchedule, target: Moments, update: Update, sigma: SigmaSquared): Moments {
  let [m, v] = [0, 1];
  for (let step = schedule.timesteps - 1; step >= 0; step--) {
    const [abarT, abarS] = [alphaCumprodAt(schedule, step), alphaCumprodAt(schedule, step - 1)];
    const sigma2 = sigma(abarT, abarS);
    const [ofX, ofEps] = update(abarT, abarS, sigma2);
    const [slope, offset] = linearEps(target.mean, target.variance, abarT);
    m = (ofX + ofEps * slope) * m + ofEps * offset;
    v = (ofX + ofEps * slope) ** 2 * v + sigma2;
  }
  return { mean: m, variance: v };
}

describe("samplers on a Gaussian", () => {
  const target = { mean: 1.5, variance: 0.25 };
  const coarse = linearSchedule({ timesteps: 20, betaStart: 5e-3, betaEnd: 0.7 });
  const count = 20_000;

  async function moments(sampler: Sampler): Promise<Moments> {
    const denoiser = gaussianDenoiser({ mean: [target.mean], variance: [target.variance] }, coarse);
    const noise = seededNoise(5);
    const sample = await finalSample(sampler({ denoiser, schedule: coarse, shape: [count, 1], noise }));
    return { mean: mean(sample.data), variance: variance(sample.data) };
  }

  const half: SigmaSquared = (abarT, abarS) => 0.25 * small(abarT, abarS);
  const cases: [name: string, sampler: Sampler, expected: Moments][] = [
    ["DDPM large", ddpm({ variance: "large" }), propagate(coarse, target, ancestral, large)],
    ["DDPM small", ddpm({ variance: "small" }), propagate(coarse, target, ancestral, small)],
    ["DDIM η = 0", ddim(), propagate(coarse, target, implicit, () => 0)],
    ["DDIM η = 0.5", ddim({ eta: 0.5 }), propagate(coarse, target, implicit, half)],
    ["DDIM η = 1", ddim({ eta: 1 }), propagate(coarse, target, implicit, small)],
  ];

  const tolerance = (v: number): Moments => ({
    mean: 4 * Math.sqrt(v / count),
    variance: 4 * v * Math.sqrt(2 / count),
  });

  it.each(cases)("%s has the mean and variance that its update implies", async (_name, sampler, expected) => {
    const got = await moments(sampler);
    const allowed = tolerance(expected.variance);
    expect(Math.abs(got.mean - expected.mean)).toBeLessThan(allowed.mean);
    expect(Math.abs(got.variance - expected.variance)).toBeLessThan(allowed.variance);
  });

  it("tells the variances apart at this tolerance, so that a wrong one would fail", async () => {
    const [largeVariance, smallVariance] = [cases[0]?.[2].variance ?? NaN, cases[1]?.[2].variance ?? NaN];
    expect(Math.abs(largeVariance - smallVariance)).toBeGreaterThan(2 * tolerance(largeVariance).variance);
    const got = await moments(ddpm({ variance: "large" }));
    expect(Math.abs(got.variance - smallVariance)).toBeGreaterThan(tolerance(smallVariance).variance);
  });

  it("reach the data's own moments when steps are many", () => {
    const fine = linearSchedule();
    for (const [update, sigma] of [
      [ancestral, small],
      [ancestral, large],
      [implicit, small],
      [implicit, () => 0],
    ] as const) {
      const got = propagate(fine, target, update, sigma);
      expect(Math.abs(got.mean - target.mean)).toBeLessThan(0.01);
      expect(Math.abs(got.variance / target.variance - 1)).toBeLessThan(0.03);
    }
  });
});

describe("ideal denoiser", () => {
  const schedule = linearSchedule();
  const points = floatTensor([-1, 0, 1, 0, 0, 2], [3, 2]);

  it("of one point is that point, at every step", () => {
    const denoiser = idealDenoiser(floatTensor([0.5, -2], [1, 2]), schedule);
    for (const step of [0, 400, 999]) {
      const xt = floatTensor([0.7, -1.9], [1, 2]);
      const x0 = predictX0FromEps(xt, denoiser(xt, step), schedule, step);
      expect(Math.abs((x0.data[0] ?? NaN) - 0.5)).toBeLessThan(1e-4);
      expect(Math.abs((x0.data[1] ?? NaN) + 2)).toBeLessThan(1e-4);
    }
  });

  it("weighs points by their posterior probability", () => {
    const step = 300;
    const abar = alphaCumprodAt(schedule, step);
    const xt = floatTensor([0.3, 0.4], [1, 2]);
    const density = (px: number, py: number): number =>
      Math.exp(-((0.3 - Math.sqrt(abar) * px) ** 2 + (0.4 - Math.sqrt(abar) * py) ** 2) / (2 * (1 - abar)));
    const [a, b, c] = [density(-1, 0), density(1, 0), density(0, 2)];
    const x0 = predictX0FromEps(xt, idealDenoiser(points, schedule)(xt, step), schedule, step);
    expect(x0.data[0]).toBeCloseTo((b - a) / (a + b + c), 5);
    expect(x0.data[1]).toBeCloseTo((2 * c) / (a + b + c), 5);
  });

  it("does not underflow far from all points", () => {
    const xt = floatTensor([80, -90], [1, 2]);
    const eps = idealDenoiser(points, schedule)(xt, 0);
    expect(eps.data.every(Number.isFinite)).toBe(true);
    expect(predictX0FromEps(xt, eps, schedule, 0).data[0]).toBeCloseTo(1, 3);
  });

  it("samples the points themselves, in equal shares", async () => {
    const count = 900;
    const options = { schedule, shape: [count, 2], noise: seededNoise(2), steps: 50 };
    const sample = await finalSample(ddim({ eta: 1 })({ ...options, denoiser: idealDenoiser(points, schedule) }));
    const shares = [0, 0, 0];
    for (let row = 0; row < count; row++) {
      const [x, y] = [sample.data[2 * row] ?? NaN, sample.data[2 * row + 1] ?? NaN];
      const distances = [0, 1, 2].map((p) =>
        Math.hypot(x - (points.data[2 * p] ?? NaN), y - (points.data[2 * p + 1] ?? NaN)),
      );
      const nearest = distances.indexOf(Math.min(...distances));
      expect(distances[nearest]).toBeLessThan(0.05);
      shares[nearest] = (shares[nearest] ?? 0) + 1;
    }
    const standardError = Math.sqrt(count * (1 / 3) * (2 / 3));
    for (const share of shares) expect(Math.abs(share - count / 3)).toBeLessThan(4.5 * standardError);
  });

  it("rejects empty sets and other widths", () => {
    expect(() => idealDenoiser(floatTensor([], [0, 2]), schedule)).toThrow(/at least one/);
    expect(() => idealDenoiser(points, schedule)(floatTensor([1], [1, 1]), 0)).toThrow(/samples of 2 values/);
  });
});
