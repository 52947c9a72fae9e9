import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import {
  ddimQuadraticSteps,
  ddimUniformSteps,
  diffusersLeadingSteps,
  diffusersLinspaceSteps,
  diffusersTrailingSteps,
  openaiDdimSteps,
  openaiSteps,
} from "./preset-steps.ts";
import { linspaceSteps, trailingSteps } from "./steps.ts";

const ascending = (steps: Int32Array): number[] => [...steps].reverse();

describe("OpenAI's fractional stride", () => {
  it.each([
    [1000, 10, [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]],
    [4000, 8, [0, 571, 1143, 1714, 2285, 2856, 3428, 3999]],
    [100, 7, [0, 16, 33, 50, 66, 82, 99]],
    [10, 4, [0, 3, 6, 9]],
    [50, 1, [0]],
  ])("T = %i, N = %i", (T, N, steps) => {
    expect(ascending(openaiSteps(T, N))).toEqual(steps);
  });

  it("rounds ties to even: 41.625 · 4 = 166.5 is 166, 41.625 · 12 = 499.5 is 500", () => {
    const steps = ascending(openaiSteps(1000, 25));
    expect([steps[4], steps[12], steps[20]]).toEqual([166, 500, 832]);
  });

  it("cuts T into sections", () => {
    expect(ascending(openaiSteps(10, [2, 3]))).toEqual([0, 4, 5, 7, 9]);
    expect(ascending(openaiSteps(11, [1, 2, 3]))).toEqual([0, 4, 7, 8, 9, 10]);
    const three = ascending(openaiSteps(300, [10, 15, 20]));
    expect(three.slice(8, 13)).toEqual([88, 99, 100, 107, 114]);
    expect(three.slice(-3)).toEqual([289, 294, 299]);
  });

  it("rejects counts that do not fit their section", () => {
    expect(() => openaiSteps(10, 11)).toThrow("at most T = 10, got 11");
    expect(() => openaiSteps(10, [6, 1])).toThrow("at most T = 5, got 6");
    expect(() => openaiSteps(10, 0)).toThrow(/≥ 1, got 0/);
    expect(() => openaiSteps(10, [])).toThrow(/≥ 1, got 0/);
  });
});

describe("OpenAI's ddimN", () => {
  it.each([
    [1000, 10, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]],
    [100, 7, [0, 15, 30, 45, 60, 75, 90]],
    [10, 3, [0, 4, 8]],
    [10, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])("T = %i, N = %i", (T, N, steps) => {
    expect(ascending(openaiDdimSteps(T, N))).toEqual(steps);
  });

  it("finds the stride that a search finds, or none", () => {
    const found = (T: number, N: number): number => {
      for (let k = 1; k < T; k++) if (Math.ceil(T / k) === N) return k;
      return 0;
    };
    for (const T of [1, 2, 10, 50, 97]) {
      for (let N = 1; N <= T; N++) {
        const stride = found(T, N);
        if (stride === 0) expect(() => openaiDdimSteps(T, N)).toThrow(`no whole stride gives ${N} of T = ${T}`);
        else expect(ascending(openaiDdimSteps(T, N))).toEqual(Array.from({ length: N }, (_, i) => i * stride));
      }
    }
  });
});

describe("the DDIM authors' steps", () => {
  it("uniform may give more than N", () => {
    expect(ascending(ddimUniformSteps(1000, 10))).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    const steps = ddimUniformSteps(1000, 30);
    expect([steps.length, steps[0], steps[30]]).toEqual([31, 990, 0]);
  });

  it("quadratic ends near 0.8 T, each step once", () => {
    expect(ascending(ddimQuadraticSteps(1000, 10))).toEqual([0, 9, 39, 88, 158, 246, 355, 483, 632, 800]);
    expect(ascending(ddimQuadraticSteps(100, 8))).toEqual([0, 1, 6, 14, 26, 40, 58, 80]);
    const steps = ascending(ddimQuadraticSteps(1000, 50));
    expect(steps).toHaveLength(49);
    expect(steps.slice(0, 5)).toEqual([0, 1, 2, 5, 8]);
    expect([...ddimQuadraticSteps(1000, 1)]).toEqual([0]);
  });
});

describe("diffusers' steps", () => {
  it("leading has an offset", () => {
    expect([...diffusersLeadingSteps(10, 4)]).toEqual([6, 4, 2, 0]);
    expect([...diffusersLeadingSteps(10, 4, 1)]).toEqual([7, 5, 3, 1]);
    expect(() => diffusersLeadingSteps(10, 10, 1)).toThrow(/0…9, got 10/);
  });

  it("trailing rounds as NumPy does", () => {
    expect([...diffusersTrailingSteps(1000, 7)]).toEqual([999, 856, 713, 570, 428, 285, 142]);
    expect([...diffusersTrailingSteps(50, 12)]).toEqual([49, 45, 41, 37, 32, 28, 24, 20, 16, 12, 7, 3]);
    expect(trailingSteps(50, 12)[9]).toBe(11);
    expect(diffusersTrailingSteps(100, 29)).toHaveLength(29);
  });

  it("linspace is ours but for N = 1", () => {
    expect([...diffusersLinspaceSteps(100, 1)]).toEqual([0]);
    expect([...diffusersLinspaceSteps(100, 7)]).toEqual([...linspaceSteps(100, 7)]);
  });
});

describe.each(Object.entries({ diffusersTrailingSteps, diffusersLinspaceSteps, openaiSteps }))(
  "%s",
  (_name, spaced) => {
    it("gives N distinct steps for every N", () => {
      const counts = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat()).map(([T, n]) => [T, 1 + (n % T)] as const);
      fc.assert(
        fc.property(counts, ([T, N]) => {
          const steps = spaced(T, N);
          expect(steps).toHaveLength(N);
          expect(steps.every((step, i) => step >= 0 && step < T && (i === 0 || step < at(steps, i - 1)))).toBe(true);
        }),
        { numRuns: 300 },
      );
    });
  },
);
