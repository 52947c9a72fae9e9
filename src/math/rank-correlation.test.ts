import fc from "fast-check";
import { expect, test } from "vitest";
import { kendall, pearson, ranksOf, spearman } from "./rank-correlation.ts";

const lists = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 12 });

test("equal values share the mean of their ranks", () => {
  expect([...ranksOf([10, 30, 20, 30])]).toEqual([1, 3.5, 2, 3.5]);
  expect([...ranksOf([5, 5, 5])]).toEqual([2, 2, 2]);
});

test("Spearman without ties is 1 − 6 Σd²/(n(n² − 1))", () => {
  fc.assert(
    fc.property(lists, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (a, keys) => {
      const drawn = a.map((value) => [value, keys.next().value as number] as const);
      const b = drawn.toSorted((x, y) => x[1] - y[1]).map(([value]) => value);
      const [ra, rb] = [ranksOf(a), ranksOf(b)];
      const squares = ra.reduce((sum, rank, i) => sum + (rank - (rb[i] ?? 0)) ** 2, 0);
      const n = a.length;
      expect(spearman(a, b)).toBeCloseTo(1 - (6 * squares) / (n * (n * n - 1)), 12);
    }),
  );
});

test("values worked out by hand", () => {
  // Ranks 1 2 3 4 5 against 3 1 2 5 4: Σd² = 4 + 1 + 1 + 1 + 1, and 7 pairs in order against 3.
  expect(spearman([1, 2, 3, 4, 5], [3, 1, 2, 5, 4])).toBeCloseTo(0.6, 12);
  expect(kendall([1, 2, 3, 4, 5], [3, 1, 2, 5, 4])).toBeCloseTo(0.4, 12);
  // With ties: 4 pairs in order, none against it, 1 of 6 equal on the left, 1 on the right, no pair on both.
  expect(kendall([1, 1, 2, 3], [1, 2, 3, 3])).toBeCloseTo(4 / 5, 12);
  // Deviations −1 0 1 against −1 −2 3: 4/√(2 · 14).
  expect(pearson([1, 2, 3], [4, 3, 8])).toBeCloseTo(4 / Math.sqrt(28), 12);
});

test("only the order counts, and turning it round turns the sign", () => {
  fc.assert(
    fc.property(lists, (a) => {
      const b = a.map((value, i) => Math.sin(value) + i);
      for (const of of [spearman, kendall]) {
        expect(
          of(
            a,
            a.map((value) => Math.exp(value / 100)),
          ),
        ).toBeCloseTo(1, 12);
        expect(
          of(
            a,
            b.map((value) => -value),
          ),
        ).toBeCloseTo(-of(a, b), 12);
        expect(of(b, a)).toBeCloseTo(of(a, b), 12);
      }
    }),
  );
});

test("nothing to correlate", () => {
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
  expect(kendall([1, 2, 3], [4, 4, 4])).toBeNaN();
  expect(() => spearman([1], [1])).toThrow(/length ≥ 2/);
  expect(() => kendall([1, 2], [1])).toThrow(/got 2 and 1/);
});
