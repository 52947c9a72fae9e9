import { describe, expect, it } from "vitest";
import { decayNames, learningRateAt, type DecayName } from "./learning-rate.ts";

const rates = { learningRate: 0.01, warmup: 20, iterations: 120 };
const at = (iteration: number, decay: DecayName, changes: Partial<typeof rates> = {}): number =>
  learningRateAt(iteration, { ...rates, ...changes, decay });

describe("the learning rate", () => {
  it.each(decayNames)("rises linearly to its full value, then follows %s", (decay) => {
    for (let i = 0; i < 20; i++) expect(at(i, decay)).toBeCloseTo((0.01 * (i + 1)) / 20, 15);
    expect(at(20, decay)).toBeCloseTo(0.01, 15);
  });

  it.each<[DecayName, (i: number) => number]>([
    ["cosine", (i) => (1 + Math.cos((Math.PI * (i - 20)) / 100)) / 2],
    ["linear", (i) => 1 - (i - 20) / 100],
    ["constant", () => 1],
    ["inverse-sqrt", (i) => Math.sqrt(20 / i)],
  ])("of %s has its closed form", (decay, share) => {
    for (let i = 20; i < 120; i++) expect(at(i, decay)).toBeCloseTo(0.01 * share(i), 14);
  });

  it("falls to nothing at the end of cosine and linear, and never below", () => {
    for (const decay of ["cosine", "linear"] as const) {
      expect(at(120, decay)).toBeCloseTo(0, 15);
      expect(at(500, decay)).toBeCloseTo(0, 15);
      expect(at(119, decay)).toBeGreaterThan(0);
    }
  });

  it.each(decayNames)("of %s never rises after warm-up, nor where there is none", (decay) => {
    for (const warmup of [0, 20]) {
      for (let i = warmup + 1; i < 120; i++)
        expect(at(i, decay, { warmup })).toBeLessThanOrEqual(at(i - 1, decay, { warmup }));
      expect(at(warmup, decay, { warmup })).toBeCloseTo(0.01, 15);
    }
  });

  it("is finite where training ends within its warm-up", () => {
    for (const decay of decayNames) expect(at(5, decay, { iterations: 6 })).toBeCloseTo(0.003, 15);
  });
});
