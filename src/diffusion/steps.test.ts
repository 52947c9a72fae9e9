import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explicitSteps, leadingSteps, linspaceSteps, trailingSteps } from "./steps.ts";

const spacings = { trailingSteps, leadingSteps, linspaceSteps };
const counts = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat()).map(([T, n]) => [T, 1 + (n % T)] as const);

describe.each(Object.entries(spacings))("%s", (_name, spaced) => {
  it("gives N distinct steps in 0…T−1, descending", () => {
    fc.assert(
      fc.property(counts, ([T, N]) => {
        const steps = spaced(T, N);
        expect(steps).toHaveLength(N);
        expect(steps.every((step, i) => step >= 0 && step < T && (i === 0 || step < (steps[i - 1] ?? -1)))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("is every step when N = T", () => {
    expect([...spaced(5, 5)]).toEqual([4, 3, 2, 1, 0]);
  });

  it("rejects N outside 1…T", () => {
    expect(() => spaced(10, 0)).toThrow(/≥ 1, got 0/);
    expect(() => spaced(10, 2.5)).toThrow(/≥ 1, got 2.5/);
    expect(() => spaced(10, 11)).toThrow("steps: expected at most T = 10, got 11");
  });
});

describe("spacing", () => {
  it("trailing begins at T−1, leading ends at 0, linspace does both", () => {
    fc.assert(
      fc.property(counts, ([T, N]) => {
        expect(trailingSteps(T, N)[0]).toBe(T - 1);
        expect(leadingSteps(T, N)[N - 1]).toBe(0);
        expect(linspaceSteps(T, N)[0]).toBe(T - 1);
        if (N > 1) expect(linspaceSteps(T, N)[N - 1]).toBe(0);
      }),
    );
  });

  it("rounds ties to even", () => {
    expect([...trailingSteps(10, 4)]).toEqual([9, 7, 4, 1]);
    expect([...linspaceSteps(10, 3)]).toEqual([9, 4, 0]);
    expect([...linspaceSteps(4, 3)]).toEqual([3, 2, 0]);
  });
});

describe("explicit steps", () => {
  it("puts them in descending order", () => {
    expect([...explicitSteps(10, [0, 9, 4])]).toEqual([9, 4, 0]);
  });

  it("rejects what is no set of steps", () => {
    expect(() => explicitSteps(10, [])).toThrow(/≥ 1/);
    expect(() => explicitSteps(10, [3, 3])).toThrow(/3 occurs twice/);
    expect(() => explicitSteps(10, [10])).toThrow(/0…9, got 10/);
    expect(() => explicitSteps(10, [-1])).toThrow(/0…9, got -1/);
    expect(() => explicitSteps(10, [1.5])).toThrow(/got 1.5/);
    expect(() => explicitSteps(2, [NaN])).toThrow(/got NaN/);
  });
});
