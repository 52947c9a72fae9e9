import { describe, expect, test } from "vitest";
import { at } from "./error.ts";
import { Random } from "./random.ts";
import { semidefiniteFactor } from "./semidefinite-factor.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

/** Wᵀ·W for random rows [rank, n]. */
function gram(rank: number, size: number, seed: number): Float64Array {
  const w = new Float64Array(rank * size);
  new Random(seed, "data").normals(w, size);
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [f, g] = [Math.floor(i / size), i % size];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += at(w, k * size + f) * at(w, k * size + g);
    return sum;
  });
}

const sorted = (values: Float64Array): Float64Array => values.slice().sort();
const gap = (a: Float64Array, b: Float64Array): number => Math.max(...a.map((value, i) => Math.abs(value - at(b, i))));

describe("eigenvalues", () => {
  test.each([1, 2, 3, 10, 40])("of a matrix of %d rows are those of Jacobi rotations", (size) => {
    const matrix = gram(size + 3, size, 5);
    matrix.forEach((value, i) => (matrix[i] = i % (size + 1) === 0 ? value - 20 : value));
    const expected = sorted(symmetricEigen(matrix, size).values);
    const found = sorted(symmetricEigenvalues(matrix.slice(), size));
    expect(gap(found, expected)).toBeLessThan(1e-13 * size * Math.max(...expected.map(Math.abs)));
  });

  test("of the second difference are 2 − 2·cos(jπ/(n + 1))", () => {
    const size = 50;
    const matrix = Float64Array.from({ length: size * size }, (_, i) => {
      const distance = Math.abs(Math.floor(i / size) - (i % size));
      return distance === 0 ? 2 : distance === 1 ? -1 : 0;
    });
    const expected = Float64Array.from({ length: size }, (_, j) => 2 - 2 * Math.cos(((j + 1) * Math.PI) / (size + 1)));
    expect(gap(sorted(symmetricEigenvalues(matrix, size)), expected)).toBeLessThan(1e-14);
  });

  test("of zeros, multiples of 1 and blocks", () => {
    expect([...symmetricEigenvalues(new Float64Array(9), 3)]).toEqual([0, 0, 0]);
    expect([...symmetricEigenvalues(Float64Array.of(2, 0, 0, 2), 2)]).toEqual([2, 2]);
    const blocks = sorted(symmetricEigenvalues(Float64Array.of(0, 1, 0, 1, 0, 0, 0, 0, 5), 3));
    expect(gap(blocks, Float64Array.of(-1, 1, 5))).toBeLessThan(1e-15);
    expect([...symmetricEigenvalues(new Float64Array(0), 0)]).toEqual([]);
  });

  test("of entries that are not finite are refused", () => {
    expect(() => symmetricEigenvalues(Float64Array.of(NaN), 1)).toThrow(/not finite/);
  });
});

describe("factor", () => {
  test.each([
    [12, 6, 6],
    [4, 9, 4],
    [1, 5, 1],
  ])("of %d rows of %d has rank %d and gives the matrix back", (rows, size, rank) => {
    const matrix = gram(rows, size, 9);
    const factor = semidefiniteFactor(matrix, size);
    expect(factor.rank).toBe(rank);
    const back = Float64Array.from({ length: size * size }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < rank; k++)
        sum += at(factor.rows, k * size + Math.floor(i / size)) * at(factor.rows, k * size + (i % size));
      return sum;
    });
    expect(gap(back, matrix)).toBeLessThan(1e-14 * size * Math.max(...matrix));
  });

  test("of zeros has rank 0", () => {
    expect(semidefiniteFactor(new Float64Array(4), 2).rank).toBe(0);
    expect(() => semidefiniteFactor(Float64Array.of(Infinity), 1)).toThrow(/not finite/);
  });
});
