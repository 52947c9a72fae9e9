import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../../math/error.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { transitionBeta } from "../forward.ts";
import { seededNoise } from "../noise.ts";
import { gaussianMixture } from "../oracles/mixture.ts";
import { mixtureDenoiser } from "../oracles/mixture-denoiser.ts";
import { finalSample, type SamplerOptions, type SamplerStep } from "../sampler.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import { trailingSteps } from "../steps.ts";
import { ddpm, ddpmCoefficients } from "./ddpm.ts";
import { repaint, repaintRoute, type ResamplingOptions } from "./repaint.ts";

const schedule = linearSchedule({ timesteps: 100, betaStart: 1e-3, betaEnd: 0.2 });
const COUNT = 1200;
const STEPS = 25;

/** Correlated data of two columns; the first is known to be A. */
const M = [0.5, -0.3] as const;
const S = { a: 1, b: 0.8, c: 1 } as const;
const A = 1.7;
const mixture = gaussianMixture({
  means: [M],
  covariances: [
    [
      [S.a, S.b],
      [S.b, S.c],
    ],
  ],
});
/** The exact law of the second column given the first. */
const exact = { mean: M[1] + (S.b / S.a) * (A - M[0]), variance: S.c - S.b ** 2 / S.a };

const base: SamplerOptions = {
  denoiser: mixtureDenoiser(mixture, schedule),
  schedule,
  shape: [COUNT, 2],
  noise: seededNoise(5),
  steps: STEPS,
};
const task = { known: floatTensor([A, Number.NaN], [2]), mask: floatTensor([1, 0], [2]) };

function secondColumn({ data }: FloatTensor): { mean: number; variance: number } {
  const values = Float64Array.from({ length: data.length / 2 }, (_, i) => at(data, 2 * i + 1));
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1) };
}

/** Five standard errors of the mean and of the variance of COUNT normal values. */
const tolerance = (variance: number): { mean: number; variance: number } => ({
  mean: 5 * Math.sqrt(variance / COUNT),
  variance: 5 * variance * Math.sqrt(2 / COUNT),
});

/** The law N(m, [a b; b c]) of x_t, propagated exactly: every transition is affine on Gaussian data. */
interface Law {
  readonly m: readonly [number, number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Rows of the affine map x_t ↦ μ(x̂_0(x_t), x_t), and its constant. */
function affine(of: NoiseSchedule, t: number, s: number): { rows: number[][]; constant: number[]; noise: number } {
  const { x0, xt, noise } = ddpmCoefficients(of, t, s, "large");
  const [signal, v] = [alphaCumprodAt(of, t), noiseVarianceAt(of, t)];
  const [p, q, r] = [signal * S.a + v, signal * S.b, signal * S.c + v];
  const determinant = p * r - q * q;
  const root = Math.sqrt(signal);
  // x̂_0 = m + √ᾱ S (ᾱ S + (1 − ᾱ) I)⁻¹ (x_t − √ᾱ m)
  const gain = [
    [(root * (S.a * r - S.b * q)) / determinant, (root * (S.b * p - S.a * q)) / determinant],
    [(root * (S.b * r - S.c * q)) / determinant, (root * (S.c * p - S.b * q)) / determinant],
  ];
  const rows = gain.map((row, i) => row.map((g, j) => x0 * g + (i === j ? xt : 0)));
  const constant = gain.map((row, i) => x0 * (at(M, i) - root * (at(row, 0) * M[0] + at(row, 1) * M[1])));
  return { rows, constant, noise };
}

function down({ m, a, b, c }: Law, t: number, s: number): Law {
  const { rows, constant, noise } = affine(schedule, t, s);
  const [p, q] = at(rows, 1) as [number, number];
  const mean = at(constant, 1) + p * m[0] + q * m[1];
  const variance = p * p * a + 2 * p * q * b + q * q * c + noise ** 2;
  return { m: [Math.sqrt(alphaCumprodAt(schedule, s)) * A, mean], a: noiseVarianceAt(schedule, s), b: 0, c: variance };
}

function up({ m, a, b, c }: Law, s: number, t: number): Law {
  const beta = transitionBeta(schedule, t, s);
  const [alpha, root] = [1 - beta, Math.sqrt(1 - beta)];
  return { m: [root * m[0], root * m[1]], a: alpha * a + beta, b: alpha * b, c: alpha * c + beta };
}

/** What RePaint gives exactly, up to float32. */
function lawOf(resampling: ResamplingOptions, steps = STEPS): { mean: number; variance: number } {
  const route = repaintRoute([...trailingSteps(schedule.timesteps, steps), -1], resampling);
  let law: Law = { m: [0, 0], a: 1, b: 0, c: 1 };
  route.slice(1).forEach((state, i) => {
    const last = at(route, i);
    law = state < last ? down(law, last, state) : up(law, last, state);
  });
  return { mean: law.m[1], variance: law.c };
}

const off = (law: { mean: number; variance: number }): number =>
  Math.max(Math.abs(law.mean - exact.mean), Math.abs(law.variance - exact.variance));

const drawn = (resampling: ResamplingOptions, options: Partial<SamplerOptions> = {}): Promise<FloatTensor> =>
  finalSample(repaint({ ...task, ...resampling })({ ...base, ...options }));

describe("RePaint on Gaussian data", () => {
  it.each<[number, number, ResamplingOptions]>([
    [1, 1, { resamples: 4, jump: 1 }],
    [4, 1, { resamples: 1 }],
    [4, 5, { resamples: 1 }],
  ])("gives the computed law of the unknown (r = %i, j = %i)", async (resamples, jump, other) => {
    const expected = lawOf({ resamples, jump });
    const within = tolerance(expected.variance);
    const got = secondColumn(await drawn({ resamples, jump }));
    expect(Math.abs(got.mean - expected.mean)).toBeLessThan(within.mean);
    expect(Math.abs(got.variance - expected.variance)).toBeLessThan(within.variance);
    const wrong = lawOf(other);
    expect(Math.abs(got.mean - wrong.mean)).toBeGreaterThan(within.mean);
  });

  it("comes nearer to the conditional distribution the more it resamples, and is off without", () => {
    const distances = [1, 2, 5, 10, 40].map((resamples) => off(lawOf({ resamples, jump: 1 }, 100)));
    distances.slice(1).forEach((distance, i) => expect(distance).toBeLessThan(at(distances, i)));
    expect(at(distances, 0)).toBeGreaterThan(0.3);
    expect(at(distances, 4)).toBeLessThan(0.03);
  });

  it("samples that distribution where it resamples enough; without, samples show that they are off", async () => {
    const within = tolerance(exact.variance);
    const resampling = { resamples: 10, jump: 1 };
    const bias = off(lawOf(resampling, 100));
    const got = secondColumn(await drawn(resampling, { steps: 100 }));
    expect(Math.abs(got.mean - exact.mean)).toBeLessThan(within.mean + bias);
    expect(Math.abs(got.variance - exact.variance)).toBeLessThan(within.variance + bias);
    const straight = secondColumn(await drawn({ resamples: 1 }, { steps: 100 }));
    expect(Math.abs(straight.mean - exact.mean)).toBeGreaterThan(2 * (within.mean + bias));
  });

  it("ends on the known values themselves", async () => {
    const { data } = await drawn({ resamples: 2, jump: 5 }, { shape: [50, 2] });
    for (let i = 0; i < data.length; i += 2) expect(data[i]).toBe(Math.fround(A));
  });
});

it("chooses the mode that fits what is known", async () => {
  const modes = gaussianMixture({
    means: [
      [-1, -1],
      [1, 1],
    ],
    covariances: [0.1],
  });
  const options = { denoiser: mixtureDenoiser(modes, schedule), shape: [400, 2] };
  const known = floatTensor([0.3, 0], [2]);
  const shareRight = async (resamples: number): Promise<number> => {
    const { data } = await finalSample(
      repaint({ ...task, known, resamples, jump: 1 })({ ...base, ...options, steps: 50 }),
    );
    return data.filter((x, i) => i % 2 === 1 && x > 0).length / 400;
  };
  // Bayes: the odds of the right mode are exp(2·0.3/0.1) to 1.
  const exactShare = 1 / (1 + Math.exp(-6));
  const [once, often] = [await shareRight(1), await shareRight(10)];
  const standardError = Math.sqrt((once * (1 - once)) / 400);
  expect(often).toBeGreaterThan(once + 5 * standardError);
  expect(exactShare - often).toBeLessThan((exactShare - once) / 2);
});

describe("RePaint's draws", () => {
  const collect = async (resampling: ResamplingOptions, options: Partial<SamplerOptions>): Promise<SamplerStep[]> => {
    const seen: SamplerStep[] = [];
    const walk = repaint({ ...task, ...resampling })({ ...base, ...options });
    await finalSample(walk, (step) => seen.push(step));
    return seen;
  };

  it("do not depend on the batch", async () => {
    const resampling = { resamples: 3, jump: 4 };
    const whole = await drawn(resampling, { shape: [6, 2] });
    const parts = [
      await drawn(resampling, { shape: [4, 2] }),
      await drawn(resampling, { shape: [2, 2], firstIndex: 4 }),
    ];
    expect(parts.flatMap(({ data }) => [...data])).toEqual([...whole.data]);
  });

  it("are fresh in every transition", async () => {
    const addresses: number[] = [];
    const steps = { normals: (_: Float32Array, __: number, ___: number, step: number) => void addresses.push(step) };
    await collect({ resamples: 3, jump: 4 }, { shape: [2, 2], noise: { start: base.noise.start, steps } });
    expect(addresses.length).toBeGreaterThan(STEPS);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it("are those of ddpm where nothing is known and it goes straight down", async () => {
    const mask = floatTensor([0, 0], [2]);
    const options = { ...base, shape: [20, 2] };
    const got = await finalSample(repaint({ ...task, mask, resamples: 1 })(options));
    expect([...got.data]).toEqual([...(await finalSample(ddpm()(options))).data]);
  });

  it("take known values for each sample", async () => {
    const known = floatTensor([1, 0, -2, 0, 0.5, 0], [3, 2]);
    const mask = floatTensor([1, 0, 1, 0, 0, 1], [3, 2]);
    const { data } = await finalSample(repaint({ known, mask, resamples: 2, jump: 5 })({ ...base, shape: [3, 2] }));
    expect([data[0], data[2], data[5]]).toEqual([1, -2, 0]);
    expect(data[4]).not.toBe(0.5);
  });

  it("count the steps up too", async () => {
    const seen = await collect({ resamples: 3, jump: 10 }, { shape: [2, 2] });
    const ups = seen.filter(({ step, previousStep }) => previousStep > step);
    expect(ups).toHaveLength(2 * Math.floor((STEPS - 1) / 10));
    expect(seen).toHaveLength(at(seen, 0).count);
    expect(seen).toHaveLength(STEPS + ups.length * 11);
  });
});

describe("the route", () => {
  it("goes back up j steps r − 1 times, counted from the last state before the data", () => {
    expect(repaintRoute([4, 3, 2, 1, 0, -1], { resamples: 2, jump: 2 })).toEqual([4, 3, 2, 4, 3, 2, 1, 0, 2, 1, 0, -1]);
    expect(repaintRoute([2, 1, 0, -1], { resamples: 3, jump: 1 })).toEqual([2, 1, 2, 1, 2, 1, 0, 1, 0, 1, 0, -1]);
    expect(repaintRoute([2, 1, 0, -1], { resamples: 5, jump: 3 })).toEqual([2, 1, 0, -1]);
  });

  it("starts and ends as a plain run and only makes its steps, or j of them back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 9 }),
        (n, r, j) => {
          const stops = Array.from({ length: n + 1 }, (_, i) => n - 1 - i);
          const route = repaintRoute(stops, { resamples: r, jump: j });
          expect([route[0], route.at(-1)]).toEqual([n - 1, -1]);
          const moves = route.slice(1).map((state, i) => state - at(route, i));
          expect(moves.every((move) => move === -1 || move === j)).toBe(true);
          expect(moves.filter((move) => move > 0)).toHaveLength((r - 1) * Math.floor((n - 1) / j));
        },
      ),
    );
  });
});

describe("wrong options", () => {
  it.each<[Partial<Parameters<typeof repaint>[0]>, string]>([
    [{ resamples: 0 }, "resamples: expected an integer ≥ 1, got 0"],
    [{ jump: 1.5 }, "jump: expected an integer ≥ 1, got 1.5"],
    [{ mask: floatTensor([1], [1]) }, "mask: expected a value for each known one, got [1] for [2]"],
    [{ mask: floatTensor([0.5, 1], [2]) }, "mask: expected 1 (known) or 0 (to be drawn), got 0.5"],
  ])("%o", (options, message) => {
    expect(() => repaint({ ...task, ...options })).toThrow(new UnnoiseError("usage", message));
  });

  it("refuses known values of another size", async () => {
    await expect(drawn({}, { shape: [3, 5], denoiser: (xt) => xt })).rejects.toThrow(
      "known: expected a sample [5] or one for each [3, 5], got [2]",
    );
  });
});
