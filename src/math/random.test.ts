import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "./random.ts";

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** Mean of f over draws and the standard error of that mean. */
function meanOf(draws: Float64Array, f: (x: number) => number): [mean: number, error: number] {
  const values = draws.map(f);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return [mean, Math.sqrt(variance / values.length)];
}

const within = (draws: Float64Array, f: (x: number) => number, expected: number): boolean => {
  const [mean, error] = meanOf(draws, f);
  return Math.abs(mean - expected) < 4.5 * error;
};

describe.each([
  ["normals", (r: Random, out: Float64Array, width: number, first: number): void => r.normals(out, width, first, 5)],
  ["uniforms", (r: Random, out: Float64Array, width: number, first: number): void => r.uniforms(out, width, first, 5)],
] as const)("%s", (_, fill) => {
  test("a row gets the same draws at any batch size and in any order", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 50 }), (seed, width, row) => {
        const whole = new Float64Array(60 * width);
        fill(new Random(seed, "noise"), whole, width, 0);
        const one = new Float64Array(width);
        fill(new Random(seed, "noise"), one, width, row);
        expect(one).toEqual(whole.slice(row * width, (row + 1) * width));
      }),
    );
  });

  test("rows beyond 2^32 blocks differ from the first ones", () => {
    const [low, high] = [new Float64Array(4), new Float64Array(4)];
    fill(new Random(1, "noise"), low, 4, 0);
    fill(new Random(1, "noise"), high, 4, 2 ** 32);
    expect(high).not.toEqual(low);
  });
});

test("uniforms stay below 1 in float32, also where a draw would round to it", () => {
  const [single, double] = [new Float32Array(4), new Float64Array(4)];
  const position = 43_472_768;
  new Random(0, "metric").uniforms(single, 1, position);
  new Random(0, "metric").uniforms(double, 1, position);
  expect(Math.fround(double[0] ?? 0)).toBe(1);
  expect(single).toEqual(Float32Array.from(double).fill(1 - 2 ** -24, 0, 1));
});

test("integers do not depend on where a batch starts, and reach every value alike", () => {
  const whole = new Int32Array(70_000);
  new Random(3, "timestep").integers(whole, 7, 0, 2);
  const part = new Int32Array(10);
  new Random(3, "timestep").integers(part, 7, 33, 2);
  expect(part).toEqual(whole.slice(33, 43));
  const counts = new Float64Array(7);
  whole.forEach((value) => (counts[value] = (counts[value] ?? 0) + 1));
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquare).toBeLessThan(27.9); // 6 degrees of freedom: p = 1e-4
});

test("moments of the normal distribution, and a wrong variance is noticed", () => {
  const draws = new Float64Array(200_000);
  new Random(11, "noise").normals(draws, 2);
  expect(within(draws, (x) => x, 0)).toBe(true);
  expect(within(draws, (x) => x ** 2, 1)).toBe(true);
  expect(within(draws, (x) => x ** 4, 3)).toBe(true);
  expect(within(draws, (x) => (x > 1.959963984540054 ? 1 : 0), 0.025)).toBe(true);
  expect(within(draws, (x) => x ** 2, 1.03)).toBe(false);
});

test("neighbouring draws, steps and streams are uncorrelated", () => {
  const draw = (stream: "noise" | "start", step: number): Float64Array => {
    const out = new Float64Array(50_000);
    new Random(4, stream).normals(out, 2, 0, step);
    return out;
  };
  const [a, nextStep, otherStream] = [draw("noise", 0), draw("noise", 1), draw("start", 0)];
  const shifted = a.map((_, i) => a[i + 1] ?? 0);
  for (const b of [nextStep, otherStream, shifted]) {
    const products = a.map((x, i) => x * (b[i] ?? 0));
    expect(within(products, (x) => x, 0)).toBe(true);
  }
});

test("a permutation holds every index once and depends on seed and step", () => {
  const order = new Random(1, "order").permutation(1000, 3);
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
  expect(new Random(1, "order").permutation(1000, 4)).not.toEqual(order);
  expect(new Random(2, "order").permutation(1000, 3)).not.toEqual(order);
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])("seed %d is refused", (seed) => {
  expect(() => new Random(seed, "noise")).toThrow(/seed: expected an integer/);
});
