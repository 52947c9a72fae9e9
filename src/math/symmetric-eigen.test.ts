import fc from "fast-check";
import { expect, test } from "vitest";
import { at } from "./error.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

const entry = fc.double({ min: -10, max: 10, noNaN: true });

test("eigenvalues and orthonormal vectors give the matrix back", () => {
  const sizes = fc.integer({ min: 1, max: 6 });
  const cases = sizes.chain((size) => fc.tuple(fc.constant(size), fc.array(entry, { minLength: 36, maxLength: 36 })));
  fc.assert(
    fc.property(cases, ([size, entries]) => {
      const pick = (i: number, j: number): number => at(entries, Math.max(i, j) * 6 + Math.min(i, j));
      const matrix = Array.from({ length: size * size }, (_, k) => pick(Math.floor(k / size), k % size));
      const { values, vectors } = symmetricEigen(matrix, size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          let [rebuilt, product] = [0, 0];
          for (let k = 0; k < size; k++) {
            rebuilt += at(values, k) * at(vectors, k * size + i) * at(vectors, k * size + j);
            product += at(vectors, i * size + k) * at(vectors, j * size + k);
          }
          expect(Math.abs(rebuilt - at(matrix, i * size + j))).toBeLessThan(1e-12);
          expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-13);
        }
      }
    }),
  );
});

test("of a known matrix", () => {
  const values = symmetricEigen([2, 1, 1, 2], 2).values.sort();
  expect(at(values, 0)).toBeCloseTo(1, 14);
  expect(at(values, 1)).toBeCloseTo(3, 14);
});

test("refuses what is not a symmetric matrix", () => {
  expect(() => symmetricEigen([1, 2, 3], 2)).toThrow(/2 × 2 values, got 3/);
  expect(() => symmetricEigen([1, 2, 3, 4], 2)).toThrow(/entry \[1, 0\] is 3, \[0, 1\] is 2/);
  expect(() => symmetricEigen([NaN], 1)).toThrow(/finite/);
});
