import fc from "fast-check";
import { expect, test } from "vitest";
import { WeightedChoice } from "./weighted-choice.ts";

test("gives the thing at each quantile, never one without weight", () => {
  const weight = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 }));
  const weights = fc.array(weight, { minLength: 1, maxLength: 40 }).filter((all) => all.some((each) => each > 0));
  const quantile = fc.double({ min: 2 ** -33, max: 1 - 2 ** -33, noNaN: true });
  fc.assert(
    fc.property(weights, quantile, (all, u) => {
      const chosen = new WeightedChoice(Float64Array.from(all)).at(u);
      const total = all.reduce((sum, each) => sum + each, 0);
      const below = all.slice(0, chosen).reduce((sum, each) => sum + each, 0);
      expect(all[chosen]).toBeGreaterThan(0);
      expect(below <= u * total && u * total < below + (all[chosen] ?? 0)).toBe(true);
    }),
  );
});
