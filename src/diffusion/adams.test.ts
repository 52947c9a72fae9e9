import fc from "fast-check";
import { expect, it } from "vitest";
import { at } from "../math/error.ts";
import { adamsWeights } from "./adams.ts";

const nodes = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 });
const place = fc.double({ min: -2, max: 14, noNaN: true });

it("are exact for polynomials of degree below the number of nodes, and for no others", () => {
  fc.assert(
    fc.property(nodes, place, place, (places, from, to) => {
      const weights = adamsWeights(places, from, to);
      for (let degree = 0; degree < places.length; degree++) {
        const sum = places.reduce((total, x, j) => total + at(weights, j) * x ** degree, 0);
        const exact = (to ** (degree + 1) - from ** (degree + 1)) / (degree + 1);
        expect(Math.abs(sum - exact)).toBeLessThan(1e-8 * Math.max(1, Math.abs(exact), 14 ** (degree + 1)));
      }
    }),
  );
  expect(adamsWeights([1, 0], 1, 2).reduce((sum, w, j) => sum + w * (1 - j) ** 2, 0)).not.toBeCloseTo(7 / 3, 3);
});

it.each([
  ["Adams–Bashforth of order 3", [0, -1, -2], [23 / 12, -16 / 12, 5 / 12]],
  ["Adams–Moulton of order 4", [1, 0, -1, -2], [9 / 24, 19 / 24, -5 / 24, 1 / 24]],
])("with equal steps are the textbook's: %s", (_, places, expected) => {
  adamsWeights(places, 0, 1).forEach((weight, j) => expect(weight).toBeCloseTo(at(expected, j), 14));
});
