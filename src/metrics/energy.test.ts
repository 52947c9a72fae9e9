import fc from "fast-check";
import { expect, test } from "vitest";
import { at } from "../math/error.ts";
import { type FloatTensor, floatTensor } from "../tensor/tensor.ts";
import { energyDistance } from "./energy.ts";
import { gaussianPoints, moved } from "./test-points.ts";

/** 2∫(F − G)² between the empirical distribution functions: the squared energy distance in one dimension. */
function cramer(a: FloatTensor, b: FloatTensor): number {
  const cuts = Float64Array.from([...a.data, ...b.data]).sort();
  const below = ({ data }: FloatTensor, x: number) => data.filter((value) => value <= x).length / data.length;
  let sum = 0;
  for (let k = 0; k + 1 < cuts.length; k++) {
    sum += (below(a, at(cuts, k)) - below(b, at(cuts, k))) ** 2 * (at(cuts, k + 1) - at(cuts, k));
  }
  return 2 * sum;
}

test("equals the integral of squared distribution differences in one dimension", () => {
  const values = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(values, values, (x, y) => {
      const a = floatTensor(x, [x.length, 1]);
      const b = floatTensor(y, [y.length, 1]);
      expect(energyDistance(a, b) ** 2).toBeCloseTo(cramer(a, b), 10);
    }),
  );
});

test("two points at a distance r are √(2r) apart", () => {
  expect(energyDistance(floatTensor([0, 0, 0], [1, 3]), floatTensor([1, 2, 2], [1, 3]))).toBeCloseTo(Math.sqrt(6), 12);
});

test("zero on itself, symmetric, unchanged by a common shift", () => {
  const a = gaussianPoints(1, 100, 2);
  const b = gaussianPoints(2, 80, 2, 1);
  expect(energyDistance(a, a)).toBeLessThan(1e-7);
  expect(energyDistance(a, b)).toBeCloseTo(energyDistance(b, a), 12);
  expect(energyDistance(moved(a, [1, 2]), moved(b, [1, 2]))).toBeCloseTo(energyDistance(a, b), 5);
});
