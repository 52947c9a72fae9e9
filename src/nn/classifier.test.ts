import { describe, expect, test } from "vitest";
import { constant, input } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { grad } from "../graph/grad.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { classifierParameters, classify, crossEntropy, type ClassifierConfig } from "./classifier.ts";
import { initialise, parameterCount, unflatten } from "./parameters.ts";

const config: ClassifierConfig = { shape: [3, 9, 8], classes: 4, channels: [4, 6], groups: 2 };

describe("cross-entropy", () => {
  const loss = (logits: number[], labels: number[], classes: number): number => {
    const rows = labels.length;
    const node = crossEntropy(constant(logits, [rows, classes]), constant(labels, [rows], "int32"));
    return at(at(evaluate([node], {}), 0).data, 0);
  };

  test("is log K without an opinion, and the mean of −log p otherwise", () => {
    expect(loss([0, 0, 0, 5, 5, 5], [0, 2], 3)).toBeCloseTo(Math.log(3), 6);
    const [p, q] = [Math.exp(2) / (Math.exp(2) + Math.exp(1)), 1 / (1 + Math.exp(3))];
    expect(loss([2, 1, 0, 3], [0, 0], 2)).toBeCloseTo(-(Math.log(p) + Math.log(q)) / 2, 6);
    expect(loss([2, 1, 0, 3], [0, 1], 2)).not.toBeCloseTo(-(Math.log(p) + Math.log(q)) / 2, 2);
  });

  test("is finite for logits of any size", () => {
    expect(loss([1000, 0, -1000], [2], 3)).toBe(2000);
  });

  test("has the derivative (softmax − one-hot)/B", () => {
    const logits = input("logits", [2, 3]);
    const node = crossEntropy(logits, constant([1, 2], [2], "int32"));
    const values = [0.3, -1, 2, 0, 0.5, 1];
    const [dx] = evaluate(grad(node, [logits]), { logits: values });
    const expected = [0, 3].flatMap((first) => {
      const powers = values.slice(first, first + 3).map(Math.exp);
      const total = powers.reduce((sum, power) => sum + power, 0);
      return powers.map((power, k) => (power / total - (k === first / 3 + 1 ? 1 : 0)) / 2);
    });
    expected.forEach((value, i) => expect(at(dx?.data ?? [], i)).toBeCloseTo(value, 6));
  });
});

describe("network", () => {
  const parameters = classifierParameters(config);
  const flat = initialise(parameters, new Random(3, "init"));
  const run = (pixels: Float32Array): { features: number[]; logits: number[] } => {
    const batch = pixels.length / (3 * 9 * 8);
    const weights = unflatten(constant(flat, [flat.length]), parameters);
    const { features, logits } = classify(input("x", [batch, ...config.shape]), weights, config);
    expect([features.shape, logits.shape]).toEqual([
      [batch, 6],
      [batch, 4],
    ]);
    const [f, l] = evaluate([features, logits], { x: pixels });
    return { features: [...(f?.data ?? [])], logits: [...(l?.data ?? [])] };
  };
  const pixels = new Float32Array(2 * 3 * 9 * 8);
  new Random(1, "data").normals(pixels, 1);

  test("has two blocks and a head", () => {
    expect(parameters.map(({ name }) => name)).toContain("blocks.1.norm.weight");
    expect(parameterCount(parameters)).toBe(3 * 9 * 4 + 4 * 3 + 4 * 9 * 6 + 6 * 3 + 6 * 4 + 4);
  });

  test("treats every image alone, and its logits are linear in the features", () => {
    const both = run(pixels);
    const second = run(pixels.subarray(3 * 9 * 8));
    second.features.forEach((value, i) => expect(value).toBeCloseTo(at(both.features, 6 + i), 5));
    const [weight, bias] = [flat.subarray(flat.length - 28, flat.length - 4), flat.subarray(flat.length - 4)];
    second.logits.forEach((logit, k) => {
      const expected = second.features.reduce((sum, value, f) => sum + value * at(weight, k * 6 + f), at(bias, k));
      expect(logit).toBeCloseTo(expected, 5);
    });
  });

  test("refuses groups that do not divide the channels", () => {
    expect(() => classifierParameters({ ...config, groups: 4 })).toThrow(/4 groups do not divide 6 channels/);
  });
});
