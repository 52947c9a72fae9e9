import { expect, test } from "vitest";
import { erf, erfc, normalCdf } from "./special.ts";

// Abramowitz & Stegun, table 7.1, and erfc(4) = 1.541725790028002e-8, erfc(5) = 1.5374597944280349e-12.
test.each([
  [0, 0],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [2, 0.9953222650189527],
  [2.999, 0.9999777698314002],
  [3, 0.9999779095030014],
  [4, 1 - 1.541725790028002e-8],
  [5, 1 - 1.5374597944280349e-12],
  [7, 1],
])("erf(%d) = %d, and erf is odd", (x, expected) => {
  expect(Math.abs(erf(x) - expected)).toBeLessThan(2e-15);
  expect(erf(-x)).toBe(-erf(x));
});

test("erf(NaN) is NaN", () => {
  expect(erf(Number.NaN)).toBeNaN();
});

// As the C library computes them (Python 3.11, math.erfc).
test.each([
  [-1, 1.8427007929497148],
  [0, 1],
  [1.9, 7.209570764742532e-3],
  [2, 4.677734981047266e-3],
  [2.5, 4.069520174449589e-4],
  [5, 1.5374597944280349e-12],
  [10, 2.088487583762545e-45],
])("erfc(%d) = %d to a small relative error", (x, expected) => {
  expect(Math.abs(erfc(x) / expected - 1)).toBeLessThan(5e-14);
});

test("Φ has its known quantiles, its tails, and Φ(x) + Φ(−x) = 1", () => {
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14);
  expect(Math.abs(normalCdf(-8) / 6.220960574271785e-16 - 1)).toBeLessThan(1e-13);
  for (const x of [0, 0.3, 1, 2.7, 2.9, 6]) expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 15);
  expect([normalCdf(-Infinity), normalCdf(Infinity)]).toEqual([0, 1]);
});
