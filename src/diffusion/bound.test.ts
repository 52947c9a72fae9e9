import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { meanOf } from "../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import type { BoundOptions } from "./bound-options.ts";
import { bitsPerDimension, variationalBound, type VariationalBoundOptions } from "./bound.ts";
import { gaussianLogDensity } from "./decoder.ts";
import { gaussianDenoiser, type DiagonalGaussian } from "./oracle.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "./posterior.ts";
import { priorKl } from "./prior.ts";
import { rateDistortion } from "./rate-distortion.ts";
import type { Denoiser, EpsDenoiser, LearnedVariance } from "./sampler.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, scheduleFromBetas, type NoiseSchedule } from "./schedule.ts";
import { trajectoryBound } from "./trajectory-bound.ts";
import { fixedLogVariance, type FirstLogVariance, type FixedVariance } from "./variance.ts";

const gaussian: DiagonalGaussian = { mean: [0.6, -0.3], variance: [0.5, 1.4] };
const noise = new Random(5, "bound");

function gaussianData(rows: number, { mean, variance }: DiagonalGaussian = gaussian, seed = 3): FloatTensor {
  const z = new Float32Array(rows * mean.length);
  new Random(seed, "data").normals(z, mean.length);
  const data = z.map((value, i) => at(mean, i % mean.length) + Math.sqrt(at(variance, i % mean.length)) * value);
  return floatTensor(data, [rows, mean.length]);
}

const random = fc
  .tuple(fc.array(fc.double({ min: 0.02, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 6 }), fc.nat(1000))
  .map(([betas, seed]) => ({ schedule: scheduleFromBetas(betas), seed }));
const variances = fc.constantFrom<FixedVariance>("large", "small");

/**
 * The bound of Gaussian data with the exact denoiser, where E (x_0 − x̂_0)² = s² (1 − ᾱ)/(ᾱ s² + 1 − ᾱ) makes each term a closed
 * form; `terms` run upwards from L_0.
 */
function closedForm(
  { mean, variance }: DiagonalGaussian,
  schedule: NoiseSchedule,
  kind: FixedVariance,
  first: FirstLogVariance = "second",
): number[] {
  return Array.from({ length: schedule.timesteps }, (_, step) => {
    const logVariance = fixedLogVariance(kind, { schedule, step, first });
    const [abar, rest] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
    return mean
      .map((_, d) => (at(variance, d) * rest) / (abar * at(variance, d) + rest))
      .map((error) => {
        const spread = posteriorMeanCoefficients(schedule, step).x0 ** 2 * error;
        if (step === 0) return 0.5 * (Math.log(2 * Math.PI) + logVariance + spread / Math.exp(logVariance));
        const exact = posteriorVariance(schedule, step);
        return 0.5 * (logVariance - Math.log(exact) - 1 + (exact + spread) / Math.exp(logVariance));
      })
      .reduce((sum, value) => sum + value, 0);
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const secondMoment = ({ mean, variance }: DiagonalGaussian): number =>
  sumOf(mean.map((m, d) => m * m + at(variance, d))) / mean.length;
const priorOf = (g: DiagonalGaussian, schedule: NoiseSchedule): number =>
  priorKl(schedule, secondMoment(g)) * Math.LN2 * g.mean.length;
const entropyOf = ({ variance }: DiagonalGaussian): number =>
  sumOf(variance.map((s2) => 0.5 * Math.log(2 * Math.PI * Math.E * s2)));

function exactly(schedule: NoiseSchedule, rows: number, seed = 3): VariationalBoundOptions {
  return { denoiser: gaussianDenoiser(gaussian, schedule), schedule, x0: gaussianData(rows, gaussian, seed), noise };
}

describe("bound on Gaussian data", () => {
  it("has the closed form's terms and total within standard error, and not those of the other variance", async () => {
    const schedule = linearSchedule({ timesteps: 10, betaStart: 0.01, betaEnd: 0.5 });
    const bound = await variationalBound({ ...exactly(schedule, 20_000), variance: "small" });
    const expected = closedForm(gaussian, schedule, "small");
    const wrong = closedForm(gaussian, schedule, "large");
    bound.terms.forEach(({ mean, standardError, step, previousStep }, i) => {
      expect([step, previousStep]).toEqual([i, i - 1]);
      expect(Math.abs(mean - at(expected, i))).toBeLessThan(4.5 * standardError);
    });
    const { mean, standardError } = bound.total;
    expect(Math.abs(mean - sumOf(expected) - priorOf(gaussian, schedule))).toBeLessThan(4 * standardError);
    expect(Math.abs(mean - sumOf(wrong) - priorOf(gaussian, schedule))).toBeGreaterThan(4 * standardError);
    expect(Math.abs(bound.prior.mean - priorOf(gaussian, schedule))).toBeLessThan(4 * bound.prior.standardError);
    const parts = bound.prior.mean + bound.transitions.mean + bound.reconstruction.mean;
    expect(mean).toBeCloseTo(parts, 10);
  });

  it("comes near the entropy with many steps and the right variances, and never below it", async () => {
    const gapOf = (timesteps: number, kind: FixedVariance): number => {
      const schedule = linearSchedule({ timesteps, betaStart: 0.1 / timesteps, betaEnd: 20 / timesteps });
      const total = sumOf(closedForm(gaussian, schedule, kind, "beta")) + priorOf(gaussian, schedule);
      return total - entropyOf(gaussian);
    };
    expect(gapOf(4000, "large")).toBeGreaterThan(0);
    expect(gapOf(4000, "large")).toBeLessThan(0.01);
    expect(gapOf(250, "large")).toBeGreaterThan(4 * gapOf(4000, "large"));
    expect(gapOf(4000, "small")).toBeGreaterThan(0.1);
    const schedule = linearSchedule({ timesteps: 1000, betaStart: 1e-4, betaEnd: 0.02 });
    const { total } = await variationalBound({ ...exactly(schedule, 200), first: "beta" });
    expect(Math.abs(total.mean - entropyOf(gaussian) - gapOf(1000, "large"))).toBeLessThan(4 * total.standardError);
  });

  it("of a shorter chain is that of its own schedule", async () => {
    const schedule = linearSchedule({ timesteps: 20, betaStart: 0.02, betaEnd: 0.3 });
    const steps = [19, 12, 4];
    const abars = [...steps].reverse().map((step) => alphaCumprodAt(schedule, step));
    const short = scheduleFromBetas(abars.map((abar, i) => 1 - abar / (abars[i - 1] ?? 1)));
    for (const variance of ["large", "small"] as const) {
      const { total } = await variationalBound({ ...exactly(schedule, 20_000), steps, variance });
      const expected = sumOf(closedForm(gaussian, short, variance)) + priorOf(gaussian, short);
      expect(Math.abs(total.mean - expected)).toBeLessThan(4 * total.standardError);
    }
  });

  it.each(["equal", "widening"] as const)(
    "at random steps, %s, has the same expectation, with an honest standard error",
    async (stretches) => {
      const schedule = linearSchedule({ timesteps: 40, betaStart: 0.002, betaEnd: 0.3 });
      const expected = sumOf(closedForm(gaussian, schedule, "large")) + priorOf(gaussian, schedule);
      const scores: number[] = [];
      for (let seed = 0; seed < 60; seed++) {
        const options = {
          ...exactly(schedule, 300, seed),
          noise: new Random(seed, "bound"),
          stepsPerRow: 7,
          stretches,
        };
        const { total } = await variationalBound(options);
        scores.push((total.mean - expected) / total.standardError);
      }
      const { mean, standardError, variance } = meanOf(scores);
      expect(Math.abs(mean)).toBeLessThan(4 * standardError);
      // 60 squared scores: standard deviation of their mean √(2/59).
      expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt(2 / 59));
    },
  );
});

describe("both forms", () => {
  it("agree within standard error over random schedules", async () => {
    await fc.assert(
      fc.asyncProperty(random, variances, async ({ schedule, seed }, variance) => {
        const options = { ...exactly(schedule, 4000, seed), noise: new Random(seed, "bound"), variance };
        const [sum, chain] = [await variationalBound(options), await trajectoryBound(options)];
        const gaps = chain.rowTotals.map((value, row) => value - at(sum.rowTotals, row));
        const { mean, standardError } = meanOf(gaps);
        expect(Math.abs(mean)).toBeLessThan(4.5 * standardError);
      }),
      { numRuns: 8 },
    );
  });

  it("differ in variance: over chains, the exact model leaves that of log p(x_0), wrong variances much more", async () => {
    const schedule = linearSchedule({ timesteps: 100, betaStart: 1e-3, betaEnd: 0.2 });
    const options: BoundOptions = { ...exactly(schedule, 800), first: "beta" };
    const [sum, chain] = [await variationalBound(options), await trajectoryBound(options)];
    const ofData = gaussian.mean.length / 2; // variance of a chi-squared, a quarter of 2D
    expect(chain.total.variance).toBeLessThan(1.25 * ofData);
    expect(sum.total.variance).toBeGreaterThan(2 * ofData);
    const wrong: BoundOptions = { ...options, variance: (step) => 0.2 * at(schedule.betas, step) };
    const [worse, worst] = [await variationalBound(wrong), await trajectoryBound(wrong)];
    expect(worst.total.variance).toBeGreaterThan(2 * worse.total.variance);
  });

  it("disagree when one of them takes another variance", async () => {
    const schedule = scheduleFromBetas([0.05, 0.3, 0.5]);
    const options = exactly(schedule, 4000);
    const sum = await variationalBound({ ...options, variance: "small" });
    const chain = await trajectoryBound({ ...options, variance: "large" });
    const { mean, standardError } = meanOf(chain.rowTotals.map((value, row) => value - at(sum.rowTotals, row)));
    expect(Math.abs(mean)).toBeGreaterThan(4.5 * standardError);
  });
});

describe("bound by quadrature", () => {
  /** A denoiser that is neither exact nor linear. */
  const epsOf = (x: number, step: number): number => Math.tanh((1.3 - 0.2 * step) * x) + 0.1;
  const denoiser: EpsDenoiser = (xt, step) => ({ ...xt, data: xt.data.map((x) => epsOf(x, step)) });

  /** −E log p_θ(x_0:T)/q(x_1:T|x_0) for x_0 = ±1, by nested trapezoid rules over each ε. */
  function exactBound(schedule: NoiseSchedule): number {
    const [h, edge] = [0.2, 6];
    const rest = (xs: number, step: number): number => {
      if (step === schedule.timesteps) return -gaussianLogDensity(xs, 0, 0);
      const beta = at(schedule.betas, step);
      let sum = 0;
      for (let eps = -edge; eps < edge + h / 2; eps += h) {
        const xt = Math.sqrt(1 - beta) * xs + Math.sqrt(beta) * eps;
        const abar = alphaCumprodAt(schedule, step);
        const mean = (xt - (beta / Math.sqrt(1 - abar)) * epsOf(xt, step)) / Math.sqrt(1 - beta);
        const logVariance = fixedLogVariance("large", { schedule, step });
        const forward = gaussianLogDensity(xt, Math.sqrt(1 - beta) * xs, Math.log(beta));
        const backward = gaussianLogDensity(xs, mean, logVariance);
        const weight = (h * Math.exp(-eps * eps * 0.5)) / Math.sqrt(2 * Math.PI);
        sum += weight * (forward - backward + rest(xt, step + 1));
      }
      return sum;
    };
    return 0.5 * (rest(1, 0) + rest(-1, 0));
  }

  it.each([1, 2, 3])("is what the definition's integrals give for T = %d", async (timesteps) => {
    const schedule = scheduleFromBetas([0.3, 0.4, 0.5].slice(0, timesteps));
    const rows = 40_000;
    const x0 = floatTensor(
      Float32Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      [rows, 1],
    );
    const exact = exactBound(schedule);
    for (const form of [variationalBound, trajectoryBound]) {
      const { total } = await form({ denoiser, schedule, x0, noise });
      expect(Math.abs(total.mean - exact)).toBeLessThan(4 * total.standardError);
      expect(total.standardError).toBeLessThan(0.02);
    }
  });
});

describe("options", () => {
  const schedule = scheduleFromBetas([0.1, 0.2, 0.4]);

  it("batches and parts of a run change nothing", async () => {
    const options = exactly(schedule, 50);
    for (const form of [variationalBound, trajectoryBound]) {
      const whole = await form(options);
      expect((await form({ ...options, batchRows: 7 })).rowTotals).toEqual(whole.rowTotals);
      const x0 = floatTensor(options.x0.data.slice(40), [30, 2]);
      expect((await form({ ...options, x0, firstIndex: 20 })).rowTotals).toEqual(whole.rowTotals.slice(20));
    }
  });

  it("a parameterisation changes nothing, and a learned variance at its ends is a fixed one", async () => {
    const options = exactly(schedule, 200);
    const range =
      (v: number): Denoiser =>
      (xt, step) => {
        const output = gaussianDenoiser(gaussian, schedule)(xt, step);
        const scaled = output.data.map((eps) => -eps / Math.sqrt(noiseVarianceAt(schedule, step)));
        const variance: LearnedVariance = {
          kind: "range",
          output: floatTensor(new Float32Array(xt.data.length).fill(v), xt.shape),
        };
        return { parameterisation: "score", output: floatTensor(scaled, xt.shape), variance };
      };
    for (const [v, variance] of [
      [-1, "small"],
      [1, "large"],
    ] as const) {
      const learned = await variationalBound({ ...options, denoiser: range(v), variance: "learned", first: "beta" });
      const fixed = await variationalBound({ ...options, variance, first: "beta" });
      learned.terms.forEach((term, i) => expect(term.mean).toBeCloseTo(at(fixed.terms, i).mean, 5));
    }
  });

  it("clips x̂_0 as a denoiser that clips it itself, which is another bound than without", async () => {
    const options = exactly(schedule, 500);
    const [low, high] = [-0.4, 0.5] as const;
    const clipped: Denoiser = (xt, step) => {
      const { data } = gaussianDenoiser(gaussian, schedule)(xt, step);
      const [signal, rest] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
      const x0 = data.map((eps, i) => (at(xt.data, i) - Math.sqrt(rest) * eps) / Math.sqrt(signal));
      const output = floatTensor(
        x0.map((value) => Math.min(high, Math.max(low, value))),
        xt.shape,
      );
      return { parameterisation: "x0", output };
    };
    const own = await variationalBound({ ...options, clip: [low, high] });
    const theirs = await variationalBound({ ...options, denoiser: clipped });
    own.rowTotals.forEach((value, row) => expect(value).toBeCloseTo(at(theirs.rowTotals, row), 4));
    const free = await variationalBound(options);
    expect(Math.abs(own.total.mean - free.total.mean)).toBeGreaterThan(0.01);
  });

  it("takes a variance for each step: that of the closed form is the best", async () => {
    const options = exactly(schedule, 500);
    const best = (step: number): number => {
      const error = (s2: number): number =>
        (s2 * noiseVarianceAt(schedule, step)) /
        (alphaCumprodAt(schedule, step) * s2 + noiseVarianceAt(schedule, step));
      const spread = sumOf(gaussian.variance.map(error)) / 2;
      return posteriorVariance(schedule, step) + posteriorMeanCoefficients(schedule, step).x0 ** 2 * spread;
    };
    const totalOf = async (factor: number): Promise<number> =>
      (await variationalBound({ ...options, variance: (step) => factor * best(step) })).total.mean;
    const least = await totalOf(1);
    expect(await totalOf(0.8)).toBeGreaterThan(least);
    expect(await totalOf(1.25)).toBeGreaterThan(least);
  });

  it("rates rise from L_T by each term, and distortions are in the data's own units", async () => {
    const bound = await variationalBound({ ...exactly(schedule, 3000), scale: [10, 10] });
    const { steps, rates, distortions } = rateDistortion(bound);
    expect(steps).toEqual([2, 1, 0]);
    expect(at(rates, 0)).toBeCloseTo(bitsPerDimension(bound.prior.mean, 2), 12);
    const all = bitsPerDimension(bound.prior.mean + bound.transitions.mean, 2);
    expect(at(rates, 2)).toBeCloseTo(all, 10);
    expect(bound.logScale).toBeCloseTo(2 * Math.log(10), 12);
    steps.forEach((step, i) => {
      const [abar, rest] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
      const error = gaussian.variance.map((s2) => (s2 * rest) / (abar * s2 + rest));
      expect(at(distortions, i)).toBeCloseTo(10 * Math.sqrt(sumOf(error) / 2), 0);
    });
    expect(at(distortions, 2)).toBeLessThan(at(distortions, 0));
  });

  it("there is no rate where a step has no rows", async () => {
    const bound = await variationalBound({ ...exactly(schedule, 2), stepsPerRow: 1 });
    expect(bound.terms.some(({ rows }) => rows === 0)).toBe(true);
    expect(() => rateDistortion(bound)).toThrow(/no row was evaluated at step \d; take more rows/);
  });

  it("tells its progress and stops as asked", async () => {
    const shares: number[] = [];
    await variationalBound({ ...exactly(schedule, 10), onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([1 / 3, 2 / 3, 1]);
    const signal = AbortSignal.abort();
    for (const form of [variationalBound, trajectoryBound]) {
      await expect(form({ ...exactly(schedule, 10), signal })).rejects.toThrow(/stopped as asked/);
    }
  });

  it("refuses what makes no sense", async () => {
    const options = exactly(schedule, 10);
    for (const [wrong, message] of [
      [{ x0: floatTensor([], [0, 2]) }, /rows of x0/],
      [{ scale: [1] }, /2 finite numbers above 0, got \[1\]/],
      [{ stepsPerRow: 4 }, /1…3, got 4/],
      [{ variance: "learned" }, /says nothing of it/],
      [{ variance: () => 0 }, /above 0 at step 0, got 0/],
      [{ batchRows: 0 }, /batchRows/],
    ] as const) {
      const refused = variationalBound({ ...options, ...wrong });
      await expect(refused).rejects.toThrow(UnnoiseError);
      await expect(variationalBound({ ...options, ...wrong })).rejects.toThrow(message);
    }
  });
});
