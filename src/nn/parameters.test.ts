import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { input } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { flatten, initialise, parameterCount, unflatten, type Parameter } from "./parameters.ts";

const shapes = fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }), { minLength: 1, maxLength: 6 });
const parametersOf = (all: readonly (readonly number[])[]): Parameter[] =>
  all.map((shape, i) => ({ name: `p${i}`, shape, bound: 1 }));

describe("unflatten and flatten", () => {
  it("are inverse, and give each parameter its shape and place", () => {
    fc.assert(
      fc.property(shapes, (all) => {
        const parameters = parametersOf(all);
        const count = parameterCount(parameters);
        const values = Array.from({ length: count }, (_, i) => i);
        const weights = unflatten(input("flat", [count]), parameters);
        expect(Object.entries(weights).map(([name, { shape }]) => [name, shape])).toEqual(
          parameters.map(({ name, shape }) => [name, shape]),
        );
        const [flat, ...parts] = evaluate([flatten(Object.values(weights)), ...Object.values(weights)], {
          flat: values,
        });
        expect([...(flat?.data ?? [])]).toEqual(values);
        expect(parts.flatMap(({ data }) => [...data])).toEqual(values);
      }),
    );
  });
});

describe("initialise", () => {
  const parameters: Parameter[] = [
    { name: "a", shape: [200, 100], bound: 0.5 },
    { name: "b", shape: [10_000], bound: 0.1 },
  ];
  const draw = (list = parameters, seed = 1): Float32Array => initialise(list, new Random(seed, "init"));
  const meanOf = (values: Float32Array, f: (x: number) => number = (x) => x): number =>
    values.reduce((sum, x) => sum + f(x), 0) / values.length;

  it("gives the same weights for the same seed, others for another", () => {
    expect(draw()).toEqual(draw());
    expect(draw()).not.toEqual(draw(parameters, 2));
  });

  it("gives a parameter the same weights whatever follows it", () => {
    expect(draw([at(parameters, 0)])).toEqual(draw().subarray(0, 20_000));
  });

  it("is uniform in ±bound, within 5 standard errors, and not in ±1.05·bound", () => {
    let offset = 0;
    for (const { shape, bound } of parameters) {
      const part = draw().subarray(offset, offset + sizeOf(shape));
      offset += part.length;
      // A uniform u in ±b: var u = b²/3, var u² = b⁴/5 − b⁴/9 = 4b⁴/45.
      const meanError = bound / Math.sqrt(3 * part.length);
      const squareError = Math.sqrt(4 / 45 / part.length) * bound ** 2;
      expect(part.every((x) => Math.abs(x) <= bound)).toBe(true);
      expect(Math.abs(meanOf(part))).toBeLessThan(5 * meanError);
      expect(Math.abs(meanOf(part, (x) => x * x) - bound ** 2 / 3)).toBeLessThan(5 * squareError);
      expect(Math.abs(meanOf(part, (x) => x * x) - (1.05 * bound) ** 2 / 3)).toBeGreaterThan(5 * squareError);
    }
  });

  it("draws each parameter from numbers of its own", () => {
    const twice = draw([at(parameters, 1), at(parameters, 1)]);
    const [first, second] = [twice.subarray(0, 10_000), twice.subarray(10_000)];
    const correlation = meanOf(first.map((x, i) => (x * at(second, i) * 3) / 0.1 ** 2));
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(first.length));
  });
});
