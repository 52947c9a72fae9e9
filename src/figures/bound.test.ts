import { describe, expect, it } from "vitest";
import { boundFigure, type BoundFigureOptions } from "./bound.ts";

const count = 40;
const each = (f: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => f(i));
const options: BoundFigureOptions = {
  terms: { steps: each((i) => i + 1), bits: each((i) => 2 / (i + 1) ** 2), standardErrors: each((i) => 0.1 / (i + 1)) },
  rateDistortion: { rates: each((i) => i / 10), distortions: each((i) => 1 / (1 + i)) },
  timesteps: count + 1,
  title: "bound of a <run>",
};

describe("bound figure", () => {
  it("names its axes and draws both curves inside them", () => {
    const svg = boundFigure(options);
    for (const text of ["bound of a &lt;run&gt;", "timestep t", "rate (bits/dim)", "Lₜ₋₁ (bits/dim)"]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it("leaves out what a logarithm cannot show, and says when there are no terms", () => {
    const { terms } = options;
    const bits = Array.from(terms.bits).map((value, i) => (i === 3 ? 0 : i === 5 ? NaN : value));
    expect(boundFigure({ ...options, terms: { ...terms, bits } })).not.toMatch(/NaN|Infinity/);
    const none = { steps: [], bits: [], standardErrors: [] };
    const svg = boundFigure({ ...options, terms: none, rateDistortion: { rates: [0], distortions: [0] } });
    expect(svg).toContain("There is one step only");
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it("rejects arrays that do not match", () => {
    expect(() => boundFigure({ ...options, rateDistortion: { rates: [], distortions: [] } })).toThrow(/length ≥ 1/);
    expect(() => boundFigure({ ...options, terms: { ...options.terms, bits: [1] } })).toThrow(/got 40, 1, 40/);
  });
});
