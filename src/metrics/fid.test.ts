import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageMetricsGolden } from "../../test/golden-image-metrics.ts";
import { at } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { FeatureStatistics, featureMoments } from "./feature-statistics.ts";
import { fid, frechetDistance } from "./fid.ts";
import { sampleCountMarks } from "./sample-count.ts";
import { featureRows, reflected } from "./test-features.ts";
import { gaussianPoints, moved } from "./test-points.ts";

describe.each(imageMetricsGolden.cases)("$name", ({ real, generated, width, ...golden }) => {
  test("has scipy's FID", () => {
    const value = fid(featureRows(real, width), featureRows(generated, width));
    expect(Math.abs(value - golden.fid)).toBeLessThan(1e-10 * (1 + golden.fid));
  });

  test("has another FID with the divisor n instead of n − 1", () => {
    const [a, b] = [real, generated].map((values) => featureMoments(featureRows(values, width)));
    const biased = ({ covariance, ...rest }: NonNullable<typeof a>) => ({
      ...rest,
      covariance: covariance.map((value) => (value * (rest.count - 1)) / rest.count),
    });
    if (!a || !b) throw new Error("two sets");
    expect(Math.abs(frechetDistance(biased(a), biased(b)) - golden.fid)).toBeGreaterThan(1e-6 * (1 + golden.fid));
  });
});

describe("exact cases", () => {
  test("one feature: (μ1 − μ2)² + (σ1 − σ2)²", () => {
    // 0, 2 has mean 1 and deviation √2; 3, 9 has mean 6 and deviation 3·√2.
    expect(fid(featureRows([0, 2], 1), featureRows([3, 9], 1))).toBeCloseTo(25 + 8, 12);
  });

  test("features that vary apart add up", () => {
    const square = (a: number, b: number) => featureRows([a, b, -a, b, a, -b, -a, -b], 2);
    const factor = 4 / 3; // divisor n − 1
    expect(fid(square(1, 2), square(3, 5))).toBeCloseTo(factor * ((3 - 1) ** 2 + (5 - 2) ** 2), 12);
  });

  test("no variance at all leaves the distance of the means", () => {
    expect(fid(featureRows([1, 2, 1, 2], 2), featureRows([4, 6, 4, 6], 2))).toBe(25);
  });
});

describe("properties", () => {
  const seeds = fc.integer({ min: 0, max: 1e6 });
  const shapes = fc.record({ n: fc.integer({ min: 2, max: 40 }), width: fc.integer({ min: 1, max: 12 }) });

  test("a set and itself: 0, singular covariances included", () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, { n, width }) => {
        const x = gaussianPoints(seed, n, width, 1);
        expect(fid(x, x)).toBeLessThan(1e-6 * width);
      }),
      { numRuns: 40 },
    );
  });

  test("a shift adds its squared length", () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, { n, width }) => {
        const x = gaussianPoints(seed, n, width);
        expect(fid(x, moved(x, [4]))).toBeCloseTo(16 * width, 4);
      }),
      { numRuns: 40 },
    );
  });

  test("symmetric, and blind to orthogonal maps of both sets", () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, { n, width }) => {
        const [x, y] = [gaussianPoints(seed, n, width), gaussianPoints(seed + 1, n + 3, width, 0.3, 2)];
        const value = fid(x, y);
        expect(fid(y, x)).toBeCloseTo(value, 6);
        expect(fid(reflected(x, seed), reflected(y, seed))).toBeCloseTo(value, 4);
      }),
      { numRuns: 40 },
    );
  });
});

test("moments do not depend on batches, and a mean of 10⁴ costs no digits", () => {
  const x = gaussianPoints(3, 700, 4, 1e4);
  const whole = featureMoments(x);
  const parts = new FeatureStatistics(4);
  for (const [first, end] of [
    [0, 1],
    [1, 300],
    [300, 300],
    [300, 700],
  ] as const) {
    parts.add(x.data.subarray(first * 4, end * 4));
  }
  const streamed = parts.moments();
  const exact = at(
    Array.from({ length: 4 }, (_, f) => {
      const column = Array.from({ length: 700 }, (__, i) => at(x.data, i * 4 + f) - 1e4);
      const mean = column.reduce((sum, value) => sum + value, 0) / 700;
      return column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 699;
    }),
    2,
  );
  expect(at(streamed.covariance, 10)).toBeCloseTo(exact, 10);
  expect(Math.max(...streamed.covariance.map((v, i) => Math.abs(v - at(whole.covariance, i))))).toBeLessThan(1e-12);
  expect(streamed.count).toBe(700);
});

test("bad features are named", () => {
  expect(() => fid(gaussianPoints(1, 5, 2), gaussianPoints(1, 5, 3))).toThrow(/same features, got 2 and 3/);
  expect(() => fid(gaussianPoints(1, 1, 2), gaussianPoints(1, 5, 2))).toThrow(/2 vectors at least, got 1/);
  expect(() => fid(floatTensor([1, NaN], [2, 1]), gaussianPoints(1, 5, 1))).toThrow(/feature 0 of image 1 is NaN/);
  expect(() => featureMoments(floatTensor([1, 2], [2]))).toThrow(/matrix \[images, features\], got \[2\]/);
  expect(() => {
    new FeatureStatistics(3).add(new Float32Array(4));
  }).toThrow(/vectors of 3 values, got 4/);
});

describe("numbers of images", () => {
  test("fewer than 50 are refused, as many as features are marked", () => {
    expect(() => sampleCountMarks(49, 1000, 10)).toThrow(/50 generated images at least, got 49/);
    expect(() => sampleCountMarks(50, 49, 10)).toThrow(/50 reference images/);
    expect(sampleCountMarks(50, 50, 49)).toEqual([]);
    expect(sampleCountMarks(128, 129, 128)).toHaveLength(1);
    expect(sampleCountMarks(128, 128, 128)).toHaveLength(2);
    expect(at(sampleCountMarks(64, 500, 64), 0)).toMatchObject({ score: "fid" });
  });
});
