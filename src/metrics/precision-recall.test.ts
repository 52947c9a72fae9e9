import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageMetricsGolden } from "../../test/golden-image-metrics.ts";
import { coverage, density } from "./coverage.ts";
import { precisionRecall } from "./precision-recall.ts";
import { featureRows } from "./test-features.ts";
import { gaussianPoints, moved } from "./test-points.ts";

describe.each(imageMetricsGolden.cases)("$name", ({ real, generated, width, k, coverageK, ...golden }) => {
  const [x, y] = [featureRows(real, width), featureRows(generated, width)];

  test("has numpy's shares", () => {
    const { precision, recall, density: dense, coverage: covered } = golden;
    const found = precisionRecall(x, y, { k, coverageK });
    expect(found).toEqual({ precision, recall, density: expect.closeTo(dense, 12) as number, coverage: covered });
  });
});

test("points on a line, by hand", () => {
  // Real balls for k = 1: [−1, 1], [0, 2], [1, 3] and [2, 18].
  const real = featureRows([0, 1, 2, 10], 1);
  const generated = featureRows([-1.5, 0.5, 17, 30], 1);
  expect(precisionRecall(real, generated, { k: 1, coverageK: 1 })).toEqual({
    precision: 2 / 4, // 0.5 and 17
    recall: 1, // the balls reach to 2 from −1.5 and from 0.5, to 13 from 17
    density: 3 / 4, // 0.5 lies in two balls, 17 in one
    coverage: 3 / 4,
  });
});

describe("properties", () => {
  const seeds = fc.integer({ min: 0, max: 1e6 });
  const shapes = fc.record({ n: fc.integer({ min: 7, max: 150 }), width: fc.integer({ min: 1, max: 5 }) });

  test("a set and itself reach everything", () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, { n, width }) => {
        const x = gaussianPoints(seed, n, width);
        expect(precisionRecall(x, x)).toMatchObject({ precision: 1, recall: 1, coverage: 1 });
      }),
      { numRuns: 30 },
    );
  });

  test("sets far apart reach nothing", () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, { n, width }) => {
        const x = gaussianPoints(seed, n, width);
        const nothing = { precision: 0, recall: 0, density: 0, coverage: 0 };
        expect(precisionRecall(x, moved(x, [100]))).toEqual(nothing);
      }),
      { numRuns: 30 },
    );
  });

  test("recall is precision with the sets exchanged; density and coverage are those for points", () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, { n, width }) => {
        const [x, y] = [gaussianPoints(seed, n, width), gaussianPoints(seed + 1, n + 2, width, 0.7)];
        const found = precisionRecall(x, y);
        expect(precisionRecall(y, x)).toMatchObject({ precision: found.recall, recall: found.precision });
        expect(found.coverage).toBe(coverage(x, y));
        expect(found.density).toBeCloseTo(density(x, y), 12);
      }),
      { numRuns: 30 },
    );
  });
});

test("a lost mode costs recall, noise costs precision", () => {
  const halves = (seed: number, apart: number) => {
    const [left, right] = [gaussianPoints(seed, 100, 2), gaussianPoints(seed + 1, 100, 2, apart)];
    return featureRows([...left.data, ...right.data], 2);
  };
  const real = halves(1, 20);
  const lost = precisionRecall(real, halves(11, 0));
  expect(lost.precision).toBeGreaterThan(0.9);
  expect(lost.recall).toBeLessThan(0.55);
  const noisy = precisionRecall(real, gaussianPoints(5, 200, 2, 10, 8));
  expect(noisy.precision).toBeLessThan(0.3);
});

test("bad arguments are named", () => {
  const x = gaussianPoints(1, 5, 2);
  expect(() => precisionRecall(x, x, { k: 5, coverageK: 1 })).toThrow(/k must be an integer in 1…4, got 5/);
  expect(() => precisionRecall(x, x)).toThrow(/got 5/);
  expect(() => precisionRecall(x, gaussianPoints(1, 5, 3))).toThrow(/same features, got 2 and 3/);
});
