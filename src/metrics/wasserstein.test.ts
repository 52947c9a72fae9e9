import fc from "fast-check";
import munkres from "munkres";
import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { type FloatTensor, floatTensor } from "../tensor/tensor.ts";
import { denseRows } from "./assignment.ts";
import { equalPointSets, squaredDistances } from "./points.ts";
import { gaussianPoints, moved } from "./test-points.ts";
import { matchPoints, wasserstein2 } from "./wasserstein.ts";

function oracle(a: FloatTensor, b: FloatTensor): number {
  const [n = 0, width = 0] = a.shape;
  const squared = (i: number, j: number) =>
    Array.from({ length: width }, (_, axis) => (at(a.data, i * width + axis) - at(b.data, j * width + axis)) ** 2);
  const cost = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (__, j) => squared(i, j).reduce((sum, term) => sum + term, 0)),
  );
  return Math.sqrt(munkres(cost).reduce((sum, [i, j]) => sum + at(at(cost, i), j), 0) / n);
}

function shuffled({ shape, data }: FloatTensor, seed: number): FloatTensor {
  const [n = 0, width = 0] = shape;
  const order = new Random(seed, "order").permutation(n);
  return floatTensor(
    data.map((_, k) => at(data, at(order, Math.floor(k / width)) * width + (k % width))),
    shape,
  );
}

describe("against the Hungarian algorithm", () => {
  test.each([1, 2, 3, 5])("random points in %d dimensions", (width) => {
    for (const n of [1, 2, 7, 80]) {
      const a = gaussianPoints(n, n, width);
      const b = gaussianPoints(n + 100, n, width, 0.5, 2);
      expect(wasserstein2(a, b)).toBeCloseTo(oracle(a, b), 10);
    }
  });

  test("points on a lattice, where costs tie", () => {
    const cell = fc.integer({ min: -2, max: 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 12 }), (rows) => {
        const a = floatTensor(
          rows.flatMap(([x, y]) => [x, y]),
          [rows.length, 2],
        );
        const b = floatTensor(
          rows.flatMap(([, , x, y]) => [x, y]),
          [rows.length, 2],
        );
        expect(wasserstein2(a, b)).toBeCloseTo(oracle(a, b), 10);
      }),
    );
  });
});

describe("a metric", () => {
  const sets = [gaussianPoints(1, 100, 2), gaussianPoints(2, 100, 2, 1), gaussianPoints(3, 100, 2, 0, 3)] as const;

  test("zero from a set to itself in any order, symmetric, positive", () => {
    expect(wasserstein2(sets[0], shuffled(sets[0], 9))).toBe(0);
    expect(wasserstein2(sets[0], sets[1])).toBeCloseTo(wasserstein2(sets[1], sets[0]), 12);
    expect(wasserstein2(sets[0], sets[1])).toBeGreaterThan(0.5);
  });

  test("triangle inequality", () => {
    const [ab, bc, ac] = [
      wasserstein2(sets[0], sets[1]),
      wasserstein2(sets[1], sets[2]),
      wasserstein2(sets[0], sets[2]),
    ];
    expect(ab).toBeLessThan(bc + ac);
    expect(bc).toBeLessThan(ab + ac);
    expect(ac).toBeLessThan(ab + bc);
  });

  test("the order of either set does not matter", () => {
    const expected = wasserstein2(sets[0], sets[2]);
    expect(wasserstein2(shuffled(sets[0], 4), shuffled(sets[2], 5))).toBeCloseTo(expected, 12);
  });

  test.each([1, 2, 3])("a shift by c is |c| away in %d dimensions", (width) => {
    const c = [3, -4, 12].slice(0, width);
    const a = gaussianPoints(7, 300, width);
    const rounding = 1e-5; // float32 coordinates near 16
    expect(Math.abs(wasserstein2(a, moved(a, c)) - Math.hypot(...c))).toBeLessThan(rounding);
  });
});

test("matching from coarse to fine carries duals that prove it optimal at n = 500", () => {
  const n = 500;
  const [from, to] = equalPointSets("test", gaussianPoints(1, n, 2), gaussianPoints(2, n, 2, 1, 0.5));
  const row = denseRows(new Float64Array(n * n), n);
  for (let i = 0; i < n; i++) squaredDistances(from, i, to, row(i));
  const { columns, rowDuals, columnDuals } = matchPoints(from, to);
  const reduced = (i: number, j: number) => at(row(i), j) - at(rowDuals, i) - at(columnDuals, j);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (reduced(i, j) < -1e-11) expect.fail(`pair ${i}, ${j} breaks the duals`);
    expect(Math.abs(reduced(i, at(columns, i)))).toBeLessThan(1e-11);
  }
  expect(new Set(columns).size).toBe(n);
  expect(reduced(0, at(columns, 1))).toBeGreaterThan(1e-6);
});

test("rows computed when asked for give the same matching as rows kept in memory", () => {
  const n = 2900;
  const a = gaussianPoints(1, n, 2);
  expect(Math.abs(wasserstein2(a, moved(a, [0.25, 0])) - 0.25)).toBeLessThan(1e-6);
});

test("between normal distributions: W2² = (μ₁−μ₂)² + (σ₁−σ₂)²", () => {
  const n = 20_000;
  const squared = wasserstein2(gaussianPoints(1, n, 1), gaussianPoints(2, n, 1, 3, 2)) ** 2;
  // Kantorovich potentials −x² − 6x and y²/2 + 3y have variances 38 and 152.
  const tolerance = 4 * Math.sqrt((38 + 152) / n);
  expect(Math.abs(squared - 10)).toBeLessThan(tolerance);
  expect(Math.abs(squared - 9)).toBeGreaterThan(tolerance);
});

test("bad sets are named", () => {
  expect(() => wasserstein2(gaussianPoints(1, 3, 2), gaussianPoints(1, 4, 2))).toThrow(/\[3, 2\] and \[4, 2\]/);
  expect(() => wasserstein2(gaussianPoints(1, 3, 2), gaussianPoints(1, 3, 1))).toThrow(/same dimension/);
  expect(() => wasserstein2(floatTensor([], [0, 2]), floatTensor([], [0, 2]))).toThrow(/at least one point/);
  expect(() => wasserstein2(floatTensor([1, NaN], [1, 2]), floatTensor([1, 1], [1, 2]))).toThrow(/coordinate 1 is NaN/);
});
