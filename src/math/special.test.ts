import { expect, test } from "vitest";
import { erf } from "./special.ts";

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
