import { describe, expect, it } from "vitest";
import * as builders from "../src/graph/builders.ts";
import { evaluate } from "../src/graph/evaluate.ts";
import { grad } from "../src/graph/grad.ts";
import type { Node } from "../src/graph/node.ts";
import { at } from "../src/math/error.ts";
import { compile } from "../src/runtime/executable.ts";
import { absence } from "./absence.ts";
import { torchImages, type GoldenImageCase, type GoldenTensor } from "./golden-torch-images.ts";
import { distance } from "./golden-torch.ts";

function apply({ op, options }: GoldenImageCase, [a, b, c]: readonly Node[]): Node {
  const { epsilon = 0, groups = 1, factor, size, stride = 1, padding = [] } = options;
  const [x, y, z] = [a, b, c] as [Node, Node, Node];
  const row = {
    conv2d: () => builders.conv2d(x, y, c, { stride, padding, groups }),
    groupNorm: () => builders.groupNorm(x, groups, epsilon, y, z),
    layerNorm: () => builders.layerNorm(x, epsilon, y, z),
    upsampleNearest: () => builders.upsampleNearest(x, factor),
    averagePool: () => builders.averagePool(x, size),
    attention: () => builders.attention(x, y, z),
  };
  return row[op]();
}

interface Built {
  readonly outputs: readonly Node[];
  readonly feeds: Readonly<Record<string, readonly number[]>>;
  readonly expected: readonly GoldenTensor[];
}

/** Result and gradients of one case, with inputs named after `prefix`. */
function build(one: GoldenImageCase, prefix: string): Built {
  const inputs = one.inputs.map(({ shape }, i) => builders.input(`${prefix}.${i}`, shape));
  const dy = builders.input(`${prefix}.dy`, one.dy.shape);
  const result = apply(one, inputs);
  const fed = one.inputs.map(({ data }, i) => [`${prefix}.${i}`, data] as const);
  return {
    outputs: [result, ...grad(builders.sum(builders.mul(result, dy)), inputs)],
    feeds: { ...Object.fromEntries(fed), [`${prefix}.dy`]: one.dy.data },
    expected: [one.result, ...one.gradients],
  };
}

const cases = torchImages.map((one, i) => ({ name: `${i}: ${one.op}`, ...build(one, `${i}`) }));
const largest = ({ data }: GoldenTensor): number => Math.max(1, ...data.map(Math.abs));

describe("images against PyTorch in float64", () => {
  it.each(cases)("$name: result and gradients to 1e-12", ({ outputs, feeds, expected }) => {
    evaluate(outputs, feeds).forEach(({ shape, data }, i) => {
      const golden = at(expected, i);
      expect(shape).toEqual(golden.shape);
      expect(distance(data, golden.data)).toBeLessThan(1e-12 * largest(golden));
    });
  });
});

for (const device of ["cpu", "wasm", "webgpu", "cuda"] as const) {
  const absent = await absence(device);
  describe.skipIf(absent)(`images on ${device} against PyTorch${absent ? ` (skipped: ${absent})` : ""}`, () => {
    it("gives every result and gradient to float32's precision", async () => {
      const named = cases.flatMap(({ outputs }, i) => outputs.map((node, k) => [`${i}:${k}`, node] as const));
      const fed = cases.flatMap(({ feeds }) => Object.entries(feeds));
      const executable = await compile(Object.fromEntries(named), { device });
      const results = await executable.run(
        Object.fromEntries(fed.map(([name, data]) => [name, Float32Array.from(data)])),
      );
      await executable.dispose();
      for (const [i, { name, expected }] of cases.entries()) {
        for (const [k, golden] of expected.entries()) {
          const got = results[`${i}:${k}`] ?? [];
          // Sums of up to 70 products of values up to 4 lose a few units in the last place of their largest value.
          expect(distance(got, golden.data), `${name}, output ${k}`).toBeLessThan(3e-6 * largest(golden));
        }
      }
    });
  });
}
