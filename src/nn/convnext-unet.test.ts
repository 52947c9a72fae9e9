import { describe, expect, it } from "vitest";
import { distance } from "../../test/golden-torch.ts";
import { losses, normals, probe } from "../../test/network-checks.ts";
import { input } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { convNextUNet, type ConvNextUNetConfig } from "./convnext-unet.ts";
import { initialise, parameterCount } from "./parameters.ts";

const config: ConvNextUNetConfig = convNextUNet.schema.parse({
  sample_size: [8, 12],
  in_channels: 1,
  out_channels: 2,
  block_out_channels: [4, 6, 8],
  layers_per_block: 1,
  kernel_size: 5,
  expansion: 2,
  num_class_embeds: 3,
});
const parameters = convNextUNet.parameters(config);
const probed = probe(convNextUNet, config, 2);
const start = initialise(parameters, new Random(0, "init"));
const xt = normals(2 * 8 * 12, 1);

describe("the weights of a ConvNextUNet", () => {
  it("are those of its blocks, halvings, joins, stem, head and embeddings", () => {
    const e = 16;
    const block = (c: number): number => 25 * c + c + 2 * c + 2 * c * (e + 1) + 2 * (2 * c * c) + 2 * c + c;
    const halving = (c: number, d: number): number => 2 * c + 4 * c * d + d;
    const join = (c: number, d: number): number => (c + d) * c + c;
    const body = 2 * block(4) + 2 * block(6) + block(8) + halving(4, 6) + halving(6, 8) + join(4, 6) + join(6, 8);
    const ends = 9 * 4 + 4 + 2 * 4 + 9 * 4 * 2 + 2;
    expect(parameterCount(parameters)).toBe(body + ends + 2 * (e * e + e) + 3 * e);
  });

  it("have distinct names", () => {
    expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
  });
});

describe("a ConvNextUNet", () => {
  it("gives images with its output channels", () => {
    const weights = Object.fromEntries(parameters.map(({ name, shape }) => [name, input(name, shape)]));
    const classLabels = input("labels", [2], "int32");
    const inputs = { xt: input("xt", [2, 1, 8, 12]), steps: input("steps", [1], "int32"), classLabels };
    expect(convNextUNet.predict(inputs, weights, config).shape).toEqual([2, 2, 8, 12]);
    const predict = (): Node => convNextUNet.predict({ ...inputs, xt: input("xt", [2, 1, 6, 12]) }, weights, config);
    expect(predict).toThrow("multiples of 4, got 1×6×12");
  });

  it("has a gradient in every weight at its start", async () => {
    for (const [name, gradient] of await probed.gradients(start)) {
      expect(Math.max(...gradient.map(Math.abs)), name).toBeGreaterThan(1e-6);
    }
  });

  it("depends on step and class, and takes one step for all", async () => {
    const [y, shared, step, label] = await Promise.all([
      probed.predict(start, xt, [5, 5], [0, 1]),
      probed.predict(start, xt, [5], [0, 1]),
      probed.predict(start, xt, [50, 50], [0, 1]),
      probed.predict(start, xt, [5, 5], [0, 2]),
    ]);
    expect(distance(y, shared)).toBeLessThan(1e-6);
    expect(distance(y, step)).toBeGreaterThan(1e-4);
    const half = y.length / 2;
    expect(distance(y.subarray(0, half), label.subarray(0, half))).toBe(0);
    expect(distance(y.subarray(half), label.subarray(half))).toBeGreaterThan(1e-4);
  });

  it("drops inside every block, where it is told how", () => {
    const rates: number[] = [];
    const weights = Object.fromEntries(parameters.map(({ name, shape }) => [name, input(name, shape)]));
    const dropout = (x: Node, rate: number): Node => (rates.push(rate), x);
    const inputs = { xt: input("xt", [2, 1, 8, 12]), steps: input("steps", [2], "int32"), dropout };
    convNextUNet.predict(inputs, weights, { ...config, dropout: 0.1, num_class_embeds: null });
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
  });

  it("learns", async () => {
    const seen = await losses(convNextUNet, { ...config, out_channels: 1 }, 40);
    expect(at(seen, 39)).toBeLessThan(0.6 * at(seen, 0));
  });

  it("refuses even kernels and unknown keys, and keeps its configuration in its file", () => {
    const problem = (change: object): string | undefined =>
      convNextUNet.schema.safeParse({ ...convNextUNet.file(config), ...change }).error?.message;
    expect(problem({ kernel_size: 4 })).toContain("expected an odd number");
    expect(problem({ kernelsize: 4 })).toContain("did you mean kernel_size?");
    expect(problem({ sample_size: 6 })).toContain("multiples of 4, got 1×6×6");
    expect(convNextUNet.schema.parse(convNextUNet.file(config))).toEqual(config);
  });
});
