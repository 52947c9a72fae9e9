import { describe, expect, test } from "vitest";
import { floatTensor } from "../tensor/tensor.ts";
import { coverage, density } from "./coverage.ts";
import { gaussianPoints, meanAndError } from "./test-points.ts";

/** Probability that at least one of m generated points is among the k nearest of a real point with n − 1 real others. */
function expectedCoverage(n: number, m: number, k: number): number {
  let missed = 1;
  for (let i = 0; i < k; i++) missed *= (n - 1 - i) / (n - 1 + m - i);
  return 1 - missed;
}

describe("by hand, on a line", () => {
  const real = floatTensor([0, 1, 3, 7], [4, 1]); // k = 1: radii 1, 1, 2, 4

  test.each([
    [[0.5], 2 / 4, 2],
    [[4], 2 / 4, 2], // within 3 ± 2 and 7 ± 4
    [[5], 2 / 4, 2], // on the border of 3 ± 2
    [[-2], 0, 0],
    [[0.5, 4], 1, 2],
  ])("generated %j", (points, covered, dense) => {
    const generated = floatTensor(points, [points.length, 1]);
    expect(coverage(real, generated, { k: 1 })).toBe(covered);
    expect(density(real, generated, { k: 1 })).toBe(dense);
  });
});

test("a set covers itself, also where points coincide", () => {
  const a = gaussianPoints(1, 100, 2);
  expect(coverage(a, a)).toBe(1);
  const pairs = floatTensor([...a.data, ...a.data], [200, 2]);
  expect(coverage(pairs, a, { k: 1 })).toBe(1);
});

describe("statistics of one distribution", () => {
  const repeats = Array.from({ length: 60 }, (_, r) => r);

  test.each([1, 3, 5])("coverage with k = %d", (k) => {
    const values = repeats.map((r) => coverage(gaussianPoints(2 * r, 120, 2), gaussianPoints(2 * r + 1, 80, 2), { k }));
    const { mean, error } = meanAndError(values);
    expect(Math.abs(mean - expectedCoverage(120, 80, k))).toBeLessThan(4 * error);
    expect(Math.abs(mean - expectedCoverage(120, 80, k + 1))).toBeGreaterThan(4 * error);
  });

  test("density is 1", () => {
    const values = repeats.map((r) => density(gaussianPoints(2 * r, 120, 2), gaussianPoints(2 * r + 1, 80, 2)));
    const { mean, error } = meanAndError(values);
    expect(Math.abs(mean - 1)).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.02);
  });
});

test("one mode of four missing costs a quarter of the coverage", () => {
  const modes = (count: number, each: number, seed: number) =>
    Array.from({ length: count }, (_, mode) => [...gaussianPoints(seed + mode, each, 2, 100 * mode).data]).flat();
  const values = Array.from({ length: 30 }, (_, r) =>
    coverage(floatTensor(modes(4, 60, 10 * r), [240, 2]), floatTensor(modes(3, 80, 10 * r + 5), [240, 2])),
  );
  const { mean, error } = meanAndError(values);
  expect(Math.abs(mean - 0.75 * expectedCoverage(60, 80, 5))).toBeLessThan(4 * error);
  expect(Math.abs(mean - 0.7)).toBeGreaterThan(4 * error);
});

test("bad options are named", () => {
  const a = gaussianPoints(1, 5, 2);
  expect(() => coverage(a, a, { k: 5 })).toThrow(/k must be an integer in 1…4 for 5 real points, got 5/);
  expect(() => density(a, a, { k: 0 })).toThrow(/k must be/);
});
