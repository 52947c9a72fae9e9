import { describe, expect, it } from "vitest";
import { constant } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { emaDecay, emaStep } from "./ema.ts";

describe("emaDecay", () => {
  it("starts low and reaches the decay, never passing it", () => {
    expect([1, 2, 10].map((update) => emaDecay(0.999, update))).toEqual([2 / 11, 3 / 12, 11 / 20]);
    expect(emaDecay(0.999, 8990)).toBe(0.999);
    expect(emaDecay(0.999, 1e9)).toBe(0.999);
    expect(emaDecay(0, 5)).toBe(0);
  });

  it("forgets the start: its share in the average after 100 updates is below 1e-9, not 0.9", () => {
    const share = (decay: (update: number) => number): number =>
      Array.from({ length: 100 }, (_, i) => decay(i + 1)).reduce((product, d) => product * d, 1);
    expect(share((update) => emaDecay(0.999, update))).toBeLessThan(1e-9);
    expect(share(() => 0.999)).toBeGreaterThan(0.9);
  });
});

describe("emaStep", () => {
  const step = (average: number[], weights: number[], oneMinusDecay: number): number[] => {
    const node = emaStep(constant(average, [2]), constant(weights, [2]), oneMinusDecay);
    return evaluate([node]).flatMap(({ data }) => [...data]);
  };

  it("is decay·average + (1 − decay)·weights", () => {
    expect(step([1, -2], [5, 2], 0.25)).toEqual([2, -1]);
    expect(step([1, -2], [5, 2], 1)).toEqual([5, 2]);
    expect(step([1, -2], [5, 2], 0)).toEqual([1, -2]);
  });
});
