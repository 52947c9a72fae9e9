import { describe, expect, it } from "vitest";
import { distance } from "../../test/golden-torch.ts";
import { constant } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { fourierFeatures, sinusoidalFeatures } from "./step-features.ts";
import { timestepTable } from "./time-embedding.ts";

const valuesOf = (node: Node): Float64Array => at(evaluate([node]), 0).data;

describe("sinusoidalFeatures", () => {
  const steps = [0, 1, 57, 999];
  const node = constant(steps, [4], "int32");

  it.each([{}, { flipSinToCos: true, freqShift: 0 }, { freqShift: 0.5 }])(
    "are rows of the table with %j",
    (options) => {
      const table = timestepTable(1000, 12, options);
      const rows = steps.flatMap((step) => [...table.subarray(12 * step, 12 * step + 12)]);
      // A frequency is off by 3 roundings at most, of an exponent below 10 and of itself.
      expect(distance(valuesOf(sinusoidalFeatures(node, 12, options)), rows)).toBeLessThan(999 * 30 * 2 ** -24);
      const other = sinusoidalFeatures(node, 12, { ...options, freqShift: 0.51 });
      expect(distance(valuesOf(other), rows)).toBeGreaterThan(0.01);
    },
  );

  it("have a last column of zeros where their number is odd", () => {
    const even = valuesOf(sinusoidalFeatures(node, 6));
    const odd = valuesOf(sinusoidalFeatures(node, 7));
    steps.forEach((_, row) => {
      expect([...odd.subarray(7 * row, 7 * row + 7)]).toEqual([...even.subarray(6 * row, 6 * row + 6), 0]);
    });
  });
});

describe("fourierFeatures", () => {
  it("are sines, then cosines of 2π·w·ln t", () => {
    const [w, t] = [
      [0.3, -20, 7],
      [0.5, 1, 600],
    ];
    const phases = t.map((level) => w.map((weight) => 2 * Math.PI * weight * Math.log(level)));
    const expected = phases.flatMap((row) => [...row.map(Math.sin), ...row.map(Math.cos)]);
    const node = fourierFeatures(constant(t, [3]), constant(w, [3]));
    expect(node.shape).toEqual([3, 6]);
    expect(distance(valuesOf(node), expected)).toBeLessThan(1e-11);
  });
});
