import fc from "fast-check";
import munkres from "munkres";
import { expect, test } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { type Assignment, assign, denseRows, solveAssignment } from "./assignment.ts";

function total(cost: Float64Array, n: number, columns: ArrayLike<number>): number {
  return Array.from(columns).reduce((sum, column, row) => sum + at(cost, row * n + column), 0);
}

function expectPermutation(columns: Int32Array): void {
  expect([...columns].sort((a, b) => a - b)).toEqual(Array.from(columns, (_, i) => i));
}

/** Largest breach of dual feasibility, and largest slack on a chosen pair. */
function certificate(cost: Float64Array, n: number, { columns, rowDuals, columnDuals }: Assignment): [number, number] {
  let breach = 0;
  let slack = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const reduced = at(cost, i * n + j) - at(rowDuals, i) - at(columnDuals, j);
      breach = Math.max(breach, -reduced);
      if (columns[i] === j) slack = Math.max(slack, Math.abs(reduced));
    }
  }
  return [breach, slack];
}

function uniforms(seed: number, count: number): Float64Array {
  const out = new Float64Array(count);
  new Random(seed, "metric").uniforms(out, count);
  return out;
}

const matrices = (cell: fc.Arbitrary<number>) =>
  fc.integer({ min: 1, max: 9 }).chain((n) => fc.array(cell, { minLength: n * n, maxLength: n * n }));

test.each([
  ["costs with many ties", fc.integer({ min: 0, max: 3 })],
  ["integers of both signs", fc.integer({ min: -1000, max: 1000 })],
  ["fractions", fc.double({ min: -5, max: 5, noNaN: true })],
])("equals the Hungarian algorithm: %s", (_, cell) => {
  fc.assert(
    fc.property(matrices(cell), (values) => {
      const n = Math.sqrt(values.length);
      const cost = Float64Array.from(values);
      const columns = solveAssignment(cost, n);
      expectPermutation(columns);
      const oracle = munkres(Array.from({ length: n }, (__, i) => values.slice(i * n, (i + 1) * n)));
      const best = oracle.reduce((sum, [i, j]) => sum + at(values, i * n + j), 0);
      expect(total(cost, n, columns)).toBeCloseTo(best, 9);
    }),
    { numRuns: 200 },
  );
});

const n = 500;
test.each([
  ["uniform", uniforms(1, n * n)],
  ["products, where greedy choices are all wrong", Float64Array.from({ length: n * n }, (_, k) => -(k % n) * (k / n))],
  ["integers with ties", uniforms(2, n * n).map((x) => Math.floor(20 * x))],
  ["one value", new Float64Array(n * n).fill(3)],
  ["equal rows", Float64Array.from({ length: n * n }, (_, k) => (k % n) % 7)],
])("duals prove optimality at n = 500: %s", (_, cost) => {
  const solution = assign(denseRows(cost, n), n);
  expectPermutation(solution.columns);
  const rounding = 1e-11 * cost.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const [breach, slack] = certificate(cost, n, solution);
  expect(breach).toBeLessThanOrEqual(rounding);
  expect(slack).toBeLessThanOrEqual(rounding);
});

test("the proof fails for a permutation that is not optimal", () => {
  const cost = uniforms(1, n * n);
  const { columns, rowDuals, columnDuals } = assign(denseRows(cost, n), n);
  [columns[0], columns[1]] = [at(columns, 1), at(columns, 0)];
  expect(certificate(cost, n, { columns, rowDuals, columnDuals })[1]).toBeGreaterThan(1e-3);
});

test("any start gives the optimum", () => {
  const cost = uniforms(3, 60 * 60);
  const best = total(cost, 60, solveAssignment(cost, 60));
  for (let seed = 0; seed < 20; seed++) {
    const start = uniforms(seed, 60).map((x) => 100 * (x - 0.5));
    const solution = assign(denseRows(cost, 60), 60, start);
    expect(total(cost, 60, solution.columns)).toBeCloseTo(best, 10);
    expect(Math.max(...certificate(cost, 60, solution))).toBeLessThan(1e-11);
  }
});

test("an empty matrix has an empty assignment", () => {
  expect(solveAssignment(new Float64Array(0), 0)).toHaveLength(0);
});

test("bad costs are named", () => {
  expect(() => solveAssignment(new Float64Array(5), 2)).toThrow(/n = 2 needs n² values, got 5/);
  expect(() => solveAssignment(Float64Array.of(0, 1, 2, NaN), 2)).toThrow(/cost\[1, 1\] is NaN/);
  expect(() => solveAssignment(Float64Array.of(0, Infinity, 2, 1), 2)).toThrow(/cost\[0, 1\] is Infinity/);
});
