import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { constant, input, sum } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { grad } from "../graph/grad.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { monotone, monotoneParameters, softplus } from "./monotone.ts";
import { initialise, parameterCount, unflatten } from "./parameters.ts";

const parameters = monotoneParameters("curve");
const size = parameterCount(parameters);

function values(weights: ArrayLike<number>, t: readonly number[]): Float64Array {
  const node = monotone("curve", constant(t, [t.length, 1]), unflatten(constant(weights, [size]), parameters));
  return at(evaluate([node]), 0).data;
}

describe("softplus", () => {
  it("is log(1 + eˣ), also where eˣ overflows", () => {
    const x = [-800, -40, -1, 0, 1, 40, 800];
    const [y] = evaluate([softplus(input("x", [x.length]))], { x });
    x.forEach((value, i) => {
      const expected = value > 30 ? value : Math.log1p(Math.exp(value));
      expect(at(y?.data ?? [], i)).toBeCloseTo(expected, 12);
    });
  });

  it("has the slope σ(x)", () => {
    const x = input("x", [3]);
    const [slope] = evaluate(grad(sum(softplus(x)), [x]), { x: [-2, 0.5, 3] });
    [-2, 0.5, 3].forEach((value, i) => expect(at(slope?.data ?? [], i)).toBeCloseTo(1 / (1 + Math.exp(-value)), 12));
  });
});

describe("monotone", () => {
  const t = Array.from({ length: 50 }, (_, i) => i / 49);

  it("rises from 0 to 1, whatever its weights", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.double({ min: 0.01, max: 8, noNaN: true }), (seed, scale) => {
        const weights = new Float64Array(size);
        new Random(seed, "init").normals(weights, size);
        const curve = values(
          weights.map((value) => scale * value),
          t,
        );
        expect(curve[0]).toBe(0);
        expect(curve[49]).toBe(1);
        for (let i = 1; i < 50; i++) expect(at(curve, i)).toBeGreaterThan(at(curve, i - 1));
      }),
      { numRuns: 50 },
    );
  });

  it("starts near a straight line", () => {
    const curve = values(initialise(parameters, new Random(0, "init")), t);
    const largest = Math.max(...curve.map((value, i) => Math.abs(value - at(t, i))));
    expect(largest).toBeLessThan(0.05);
    expect(largest).toBeGreaterThan(1e-6);
  });

  it("can bend: one steep unit makes a step", () => {
    const weights = initialise(parameters, new Random(0, "init"));
    const unit = 60;
    weights[0] = -10;
    weights[1 + unit] = 100;
    weights[1 + 128 + unit] = -50;
    weights[1 + 256 + unit] = 1e4;
    const curve = values(weights, [0, 0.4, 0.6, 1]);
    expect(at(curve, 1)).toBeLessThan(0.01);
    expect(at(curve, 2)).toBeGreaterThan(0.99);
  });
});
