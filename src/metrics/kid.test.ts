import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageMetricsGolden } from "../../test/golden-image-metrics.ts";
import { at } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { kid, polynomialMmd } from "./kid.ts";
import { featureRows, reflected } from "./test-features.ts";
import { gaussianPoints, meanAndError } from "./test-points.ts";

describe.each(imageMetricsGolden.cases)("$name", ({ real, generated, width, mmd }) => {
  test("has numpy's MMD²", () => {
    const value = polynomialMmd(Float64Array.from(real), Float64Array.from(generated), width);
    expect(Math.abs(value - mmd)).toBeLessThan(1e-12 * Math.max(1, Math.abs(mmd)));
  });
});

test("two points a set, by hand", () => {
  // k(x, y) = (xy + 1)³ for F = 1: within 0, 1 it is 1; within 2, 3 it is 7³; across 1, 1, 3³, 4³.
  expect(polynomialMmd(Float64Array.of(0, 1), Float64Array.of(2, 3), 1)).toBe(1 + 343 - (2 * (1 + 1 + 27 + 64)) / 4);
});

test("more rows than a block of products", () => {
  const x = Float64Array.from(gaussianPoints(1, 600, 3).data);
  const [y, n] = [Float64Array.from(gaussianPoints(2, 300, 3).data), 300];
  const kernel = (a: Float64Array, i: number, b: Float64Array, j: number): number =>
    ([0, 1, 2].reduce((sum, f) => sum + at(a, 3 * i + f) * at(b, 3 * j + f), 0) / 3 + 1) ** 3;
  const sum = (a: Float64Array, b: Float64Array, skip: boolean): number => {
    let total = 0;
    for (let i = 0; i < a.length / 3; i++) {
      for (let j = 0; j < b.length / 3; j++) if (!skip || i !== j) total += kernel(a, i, b, j);
    }
    return total;
  };
  const expected = sum(x, x, true) / (600 * 599) + sum(y, y, true) / (n * (n - 1)) - (2 * sum(x, y, false)) / (600 * n);
  expect(polynomialMmd(x, y, 3)).toBeCloseTo(expected, 10);
});

describe("subsets", () => {
  const [a, b] = [gaussianPoints(1, 200, 3), gaussianPoints(2, 300, 3, 0.5)];

  test("one for each tenth, none sharing an image, unless asked otherwise", () => {
    expect(kid(a, b, { seed: 0 })).toMatchObject({ subsets: 10, subsetSize: 20 });
    expect(kid(a, b, { seed: 0, subsetSize: 50 })).toMatchObject({ subsets: 4, subsetSize: 50 });
    expect(kid(a, b, { seed: 0, subsetSize: 50, subsets: 9 })).toMatchObject({ subsets: 9, subsetSize: 50 });
  });

  test("by seed", () => {
    expect(kid(a, b, { seed: 3 })).toEqual(kid(a, b, { seed: 3 }));
    expect(kid(a, b, { seed: 3 }).value).not.toBe(kid(a, b, { seed: 4 }).value);
  });

  test("that nothing holds are refused", () => {
    expect(() => kid(a, b, { seed: 0, subsetSize: 201 })).toThrow(/subsetSize must be an integer in 2…200, got 201/);
    expect(() => kid(a, b, { seed: 0, subsetSize: 150 })).toThrow(/2 subsets at least/);
    expect(() => kid(a, gaussianPoints(1, 9, 2), { seed: 0 })).toThrow(/same features, got 3 and 2/);
    expect(() => kid(a, floatTensor([0, Infinity], [2, 1]), { seed: 0 })).toThrow(/same features/);
    expect(() => kid(featureRows([1, Infinity], 1), featureRows([1, 2], 1), { seed: 0 })).toThrow(/image 1 is Inf/);
  });
});

describe("normal distributions", () => {
  // One feature: E k(X, Y) = E(XY + 1)³ = E X³·E Y³ + 3·E X²·E Y² + 3·E X·E Y + 1.
  const moments = (mean: number) => [mean, mean ** 2 + 1, mean ** 3 + 3 * mean] as const;
  const kernel = (a: number, b: number): number => {
    const [x, y] = [moments(a), moments(b)];
    return x[2] * y[2] + 3 * x[1] * y[1] + 3 * x[0] * y[0] + 1;
  };
  const expected = (shift: number): number => kernel(0, 0) + kernel(shift, shift) - 2 * kernel(0, shift);
  const repeats = (shift: number) =>
    Array.from({ length: 100 }, (_, r) => {
      const [x, y] = [gaussianPoints(2 * r, 200, 1), gaussianPoints(2 * r + 1, 200, 1, shift)];
      return kid(x, y, { seed: r });
    });

  test.each([0, 0.5])("a shift by %d is found without bias, and the error is the real one", (shift) => {
    const runs = repeats(shift);
    const { mean, error } = meanAndError(runs.map(({ value }) => value));
    expect(Math.abs(mean - expected(shift))).toBeLessThan(4 * error);
    expect(Math.abs(mean - expected(shift + 0.3))).toBeGreaterThan(4 * error);
    const reported = Math.sqrt(runs.reduce((sum, run) => sum + run.error ** 2, 0) / runs.length);
    // The deviation of 100 values is known to 1/√(2·99) = 7 % for a normal one; heavy tails triple that.
    expect(reported / (error * 10)).toBeGreaterThan(1 / 1.5);
    expect(reported / (error * 10)).toBeLessThan(1.5);
  });
});

test("blind to orthogonal maps of both sets", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 9 }), (seed, width) => {
      const [x, y] = [gaussianPoints(seed, 40, width), gaussianPoints(seed + 1, 40, width, 0.4)];
      const value = kid(x, y, { seed }).value;
      expect(kid(reflected(x, seed), reflected(y, seed), { seed }).value).toBeCloseTo(value, 4);
    }),
    { numRuns: 30 },
  );
});
