import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { type FloatTensor, floatTensor } from "../tensor/tensor.ts";
import { medianHeuristic, mmd, mmdSquaredUnbiased } from "./mmd.ts";
import { gaussianPoints, meanAndError } from "./test-points.ts";

function rowsOf({ shape, data }: FloatTensor): number[][] {
  const [n = 0, width = 0] = shape;
  return Array.from({ length: n }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);
}

function distance(x: number[], y: number[]): number {
  return Math.hypot(...x.map((value, axis) => value - at(y, axis)));
}

function average(a: FloatTensor, b: FloatTensor, kernel: (r: number) => number): number {
  const values = rowsOf(a).flatMap((x) => rowsOf(b).map((y) => kernel(distance(x, y))));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("definition", () => {
  const a = gaussianPoints(1, 30, 3);
  const b = gaussianPoints(2, 20, 3, 0.7);

  test("the mean of Gaussians with bandwidths s/4 … 4s over all pairs", () => {
    const s = 1.3;
    const kernel = (r: number) =>
      [s / 4, s / 2, s, 2 * s, 4 * s].reduce((sum, width) => sum + Math.exp(-(r ** 2) / (2 * width ** 2)) / 5, 0);
    const squared = average(a, a, kernel) + average(b, b, kernel) - 2 * average(a, b, kernel);
    expect(mmd(a, b, { bandwidth: s })).toBeCloseTo(Math.sqrt(squared), 12);
    expect(mmd(a, b, { bandwidth: s, octaves: 1 })).not.toBeCloseTo(Math.sqrt(squared), 3);
  });

  test("by default s is the median distance of both sets together", () => {
    const both = floatTensor([...a.data, ...b.data], [50, 3]);
    const lengths = rowsOf(both).flatMap((x, i) =>
      rowsOf(both)
        .slice(0, i)
        .map((y) => distance(x, y)),
    );
    const median = at(
      lengths.sort((p, q) => p - q),
      Math.floor(lengths.length / 2),
    );
    expect(lengths).toHaveLength(1225);
    expect(medianHeuristic(both)).toBeCloseTo(median, 12);
    expect(mmd(a, b)).toBe(mmd(a, b, { bandwidth: medianHeuristic(both) }));
  });

  test("symmetric, zero on itself", () => {
    expect(mmd(a, b)).toBeCloseTo(mmd(b, a), 12);
    expect(mmd(a, a)).toBeLessThan(1e-7);
  });
});

test("points that mostly coincide still have a bandwidth", () => {
  expect(medianHeuristic(floatTensor([0, 0, 0, 0, 3], [5, 1]))).toBe(3);
  expect(medianHeuristic(floatTensor([2, 2], [2, 1]))).toBe(1);
  expect(mmd(floatTensor([2, 2], [2, 1]), floatTensor([2], [1, 1]))).toBe(0);
});

describe("normal distributions", () => {
  const s = 1.5;
  const n = 100;
  const options = { bandwidth: s, octaves: 0 };
  const within = s / Math.sqrt(s ** 2 + 2); // E k(X, X′) in one dimension
  const expected = (shift: number) => 2 * within * (1 - Math.exp(-(shift ** 2) / (2 * (s ** 2 + 2))));
  const repeat = (shift: number, statistic: typeof mmd) =>
    meanAndError(
      Array.from({ length: 100 }, (_, r) =>
        statistic(gaussianPoints(2 * r, n, 1), gaussianPoints(2 * r + 1, n, 1, shift), options),
      ),
    );

  test.each([0, 0.5, 1])("the unbiased statistic finds MMD² of a shift by %d", (shift) => {
    const { mean, error } = repeat(shift, mmdSquaredUnbiased);
    expect(Math.abs(mean - expected(shift))).toBeLessThan(4 * error);
    expect(Math.abs(mean - expected(shift + 0.25))).toBeGreaterThan(4 * error);
  });

  test("the reported statistic has the floor (1/m + 1/n)(1 − E k(X, X′)) for one distribution", () => {
    const { mean, error } = repeat(0, (a, b, o) => mmd(a, b, o) ** 2);
    expect(Math.abs(mean - (2 / n) * (1 - within))).toBeLessThan(4 * error);
    expect(Math.abs(mean - (1 / n) * (1 - within))).toBeGreaterThan(4 * error);
  });
});

test("bad options are named", () => {
  const a = gaussianPoints(1, 3, 2);
  expect(() => mmd(a, a, { bandwidth: 0 })).toThrow(/bandwidth must be a finite number > 0, got 0/);
  expect(() => mmd(a, a, { octaves: 1.5 })).toThrow(/octaves/);
  expect(() => mmdSquaredUnbiased(a, floatTensor([1, 2], [1, 2]))).toThrow(/two points/);
  expect(() => mmd(a, gaussianPoints(1, 3, 1))).toThrow(/same dimension/);
});
