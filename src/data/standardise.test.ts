import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../math/random.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { fitStandardiser, standardise, unstandardise } from "./standardise.ts";

test("the mean and the deviation with N in the denominator, column by column", () => {
  expect(fitStandardiser(floatTensor([1, 10, 3, 30, 5, 20, 7, 20], [4, 2]))).toEqual({
    mean: [4, 20],
    scale: [Math.sqrt(5), Math.sqrt(50)],
  });
});

test("standardised points have zero mean and unit variance, also far from the origin", () => {
  const draws = new Float64Array(30_000);
  new Random(1, "data").normals(draws, 3);
  const offsets = [0, 1e4, -3e7];
  const raw = Float32Array.from(draws, (z, i) => (offsets[i % 3] ?? 0) + z * 10 ** (i % 3));
  const points = floatTensor(raw, [10_000, 3]);
  const { mean, scale } = fitStandardiser(standardise(points, fitStandardiser(points)));
  expect(Math.max(...mean.map(Math.abs))).toBeLessThan(1e-6);
  expect(Math.max(...scale.map((value) => Math.abs(value - 1)))).toBeLessThan(1e-6);
});

test("mapping back undoes it to float32 rounding", () => {
  const value = fc.float({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 30 }), (rows) => {
      const points = floatTensor(rows.flat(), [rows.length, 2]);
      const fitted = fitStandardiser(points);
      const back = unstandardise(standardise(points, fitted), fitted);
      back.data.forEach((x, i) => {
        const deviation = Math.abs((points.data[i] ?? 0) - (fitted.mean[i % 2] ?? 0));
        // Half a unit in the last place of the standardised value and of the result; near zero units no longer shrink.
        const smallest = 2 ** -149 * (1 + (fitted.scale[i % 2] ?? 1));
        expect(Math.abs(x - (points.data[i] ?? 0))).toBeLessThanOrEqual(
          2 ** -23 * deviation + 2 ** -24 * Math.abs(x) + smallest,
        );
      });
    }),
  );
});

test("a constant column has scale 1 and comes back exactly", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: 1, max: 999 }), (value, rows) => {
      const points = floatTensor(new Float32Array(rows).fill(value), [rows, 1]);
      const fitted = fitStandardiser(points);
      expect(fitted.scale).toEqual([1]);
      const z = standardise(points, fitted);
      expect(z.data.every((entry) => entry === 0)).toBe(true);
      expect(unstandardise(z, fitted).data.every((entry) => entry === value)).toBe(true);
    }),
  );
});

test("JSON keeps it exactly", () => {
  const fitted = fitStandardiser(floatTensor([0.1, 0.7, 1e-20, 3e38], [2, 2]));
  expect(JSON.parse(JSON.stringify(fitted))).toEqual(fitted);
});

test("refuses other shapes", () => {
  const fitted = fitStandardiser(floatTensor([1, 2], [1, 2]));
  expect(() => fitStandardiser(floatTensor([], [0, 2]))).toThrow(/rows ≥ 1/);
  expect(() => fitStandardiser(floatTensor([1, 2], [2]))).toThrow(/got \[2\]/);
  expect(() => standardise(floatTensor([1, 2, 3], [1, 3]), fitted)).toThrow(/of 2 columns cannot take points of 3/);
  expect(() => unstandardise(floatTensor([1], [1, 1]), fitted)).toThrow(/of 2 columns cannot take points of 1/);
});
