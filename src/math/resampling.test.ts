import { expect, test } from "vitest";
import { at } from "./error.ts";
import { geometricMean } from "./geometric-mean.ts";
import { quantile } from "./quantile.ts";
import { Random } from "./random.ts";
import { kendall, spearman } from "./rank-correlation.ts";
import { bootstrapInterval, permutationProbability } from "./resampling.ts";

const random = new Random(11, "metric");

test("quantiles between the values", () => {
  expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([1, 1.75, 2.5, 3.25, 4]);
  expect(quantile([7], 0.3)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow(/at least one value/);
  expect(() => quantile([1], 1.5)).toThrow(/share/);
});

test("geometric means", () => {
  const { mean, standardError } = geometricMean([1, 4, 16]);
  expect(mean).toBeCloseTo(4, 12);
  expect(standardError).toBeCloseTo((4 * Math.log(4)) / Math.sqrt(3), 12);
  expect(geometricMean([3]).standardError).toBeNaN();
  expect(() => geometricMean([1, 0])).toThrow(/got 0 at position 1/);
  expect(() => geometricMean([])).toThrow(/got none/);
});

test("the interval of a mean has its width, and holds it as often as it says", () => {
  const trials = 200;
  const count = 30;
  const covered = (level: number): number => {
    let inside = 0;
    for (let trial = 0; trial < trials; trial++) {
      const values = new Float64Array(count);
      new Random(5, "data").normals(values, 1, 0, trial);
      const mean = (positions: Int32Array): number => positions.reduce((sum, i) => sum + at(values, i), 0) / count;
      const options = { draws: 300, random: new Random(trial, "metric") };
      const { low, high } = bootstrapInterval(count, mean, options, level);
      if (low <= 0 && high >= 0) inside++;
    }
    return inside / trials;
  };
  // Percentile intervals of 30 values hold the mean a little too rarely: up to 2 % are granted besides 4 standard errors.
  const tolerance = (level: number): number => 0.02 + 4 * Math.sqrt((level * (1 - level)) / trials);
  expect(Math.abs(covered(0.9) - 0.9)).toBeLessThan(tolerance(0.9));
  expect(Math.abs(covered(0.6) - 0.9)).toBeGreaterThan(tolerance(0.9));
});

test("a permutation test of 4 values is the share of all 24 orders", () => {
  const [a, b] = [
    [1, 2, 3, 4],
    [1, 2, 4, 3],
  ];
  // Orders with ρ ≥ 0.8: the order itself and the three with one neighbouring pair exchanged.
  const draws = 4000;
  const probability = permutationProbability(b, (shuffled) => spearman(a, shuffled), { draws, random });
  const expected = 4 / 24;
  const error = Math.sqrt((expected * (1 - expected)) / draws);
  expect(Math.abs(probability - expected)).toBeLessThan(4 * error);
  expect(Math.abs(probability - 5 / 24)).toBeGreaterThan(4 * error);
});

test("what hangs together is found, what does not is not", () => {
  const a = Array.from({ length: 20 }, (_, i) => i);
  const noise = new Float64Array(20);
  random.normals(noise, 1);
  const probability = (values: readonly number[]): number =>
    permutationProbability(values, (shuffled) => kendall(a, shuffled), { draws: 500, random });
  expect(probability(a.map((value, i) => value + at(noise, i)))).toBeLessThan(0.01);
  expect(probability(a.map((value, i) => -value + at(noise, i)))).toBeGreaterThan(0.9);
});

test("samples without a statistic are left out", () => {
  const options = { draws: 100, random };
  expect(bootstrapInterval(3, () => Number.NaN, options)).toEqual({ low: Number.NaN, high: Number.NaN });
  expect(() => bootstrapInterval(1, () => 0, options)).toThrow(/at least 2 cases/);
});
