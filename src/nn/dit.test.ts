import { describe, expect, it } from "vitest";
import { distance } from "../../test/golden-torch.ts";
import { losses, normals, probe, randomWeights } from "../../test/network-checks.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { dit, positionTable, type DiTConfig } from "./dit.ts";
import { initialise, parameterCount } from "./parameters.ts";

const config: DiTConfig = dit.schema.parse({
  sample_size: [8, 12],
  patch_size: 2,
  in_channels: 2,
  out_channels: 4,
  hidden_size: 16,
  depth: 2,
  num_heads: 2,
  num_class_embeds: 3,
});
const parameters = dit.parameters(config);
const probed = probe(dit, config, 2);
const xt = normals(2 * 2 * 8 * 12, 1);

describe("the weights of a DiT", () => {
  it("are 4·D² and 2·r·D² a block with 6·D² for its modulation, and what embeds and ends", () => {
    const [d, r, patch] = [16, 4, 4];
    const block = 4 * d * d + 4 * d + 2 * r * d * d + r * d + d + 6 * d * d + 6 * d;
    const embedders = patch * 2 * d + d + 256 * d + d + d * d + d + 3 * d;
    const final = 2 * d * d + 2 * d + d * patch * 4 + patch * 4;
    expect(parameterCount(parameters)).toBe(2 * block + embedders + final);
  });

  it("of DiT-S/2 for latents of 4 channels are 33 million, as the paper's table 1 says", () => {
    const small = dit.schema.parse({ sample_size: 32, in_channels: 4, out_channels: 8, num_class_embeds: 1001 });
    expect(parameterCount(dit.parameters(small)) / 1e6).toBeCloseTo(33, 0);
  });

  it("have the paper's code's names and starts", () => {
    const of = (name: string): unknown => parameters.find((parameter) => parameter.name === name);
    expect(of("blocks.1.adaLN_modulation.1.weight")).toEqual({
      name: "blocks.1.adaLN_modulation.1.weight",
      shape: [96, 16],
      bound: 0,
    });
    expect(of("blocks.0.attn.qkv.weight")).toMatchObject({ shape: [48, 16], bound: Math.sqrt(6 / 64) });
    expect(of("x_embedder.proj.weight")).toMatchObject({ shape: [16, 2, 2, 2], bound: Math.sqrt(6 / 24) });
    expect(of("y_embedder.embedding_table.weight")).toMatchObject({ shape: [3, 16], deviation: 0.02 });
  });
});

describe("positionTable", () => {
  it("holds sines and cosines of the column, then of the row", () => {
    const table = positionTable([2, 3], 8);
    const place = (row: number, column: number): number[] => [
      ...[column, column / 100].map(Math.sin),
      ...[column, column / 100].map(Math.cos),
      ...[row, row / 100].map(Math.sin),
      ...[row, row / 100].map(Math.cos),
    ];
    expect(distance(table.subarray(5 * 8), place(1, 2))).toBeLessThan(1e-15);
    expect(distance(table.subarray(3 * 8, 4 * 8), place(1, 0))).toBeLessThan(1e-15);
  });
});

describe("a DiT", () => {
  it("starts at 0 for any image", async () => {
    const start = initialise(parameters, new Random(0, "init"));
    const y = await probed.predict(start, xt, [3, 900], [0, 2]);
    expect(y).toEqual(new Float32Array(2 * 4 * 8 * 12));
  });

  it("has a gradient in every weight", async () => {
    for (const [name, gradient] of await probed.gradients(randomWeights(probed.count, 0.1))) {
      expect(Math.max(...gradient.map(Math.abs)), name).toBeGreaterThan(1e-6);
    }
  });

  it("depends on step and class, and takes one step for all", async () => {
    const weights = randomWeights(probed.count, 0.1);
    const [y, shared, step, label] = await Promise.all([
      probed.predict(weights, xt, [5, 5], [0, 1]),
      probed.predict(weights, xt, [5], [0, 1]),
      probed.predict(weights, xt, [6, 6], [0, 1]),
      probed.predict(weights, xt, [5, 5], [0, 2]),
    ]);
    expect(distance(y, shared)).toBeLessThan(1e-5);
    expect(distance(y, step)).toBeGreaterThan(1e-4);
    const half = y.length / 2;
    expect(distance(y.subarray(0, half), label.subarray(0, half))).toBe(0);
    expect(distance(y.subarray(half), label.subarray(half))).toBeGreaterThan(1e-4);
  });

  it("keeps patches apart while its gates are 0, and mixes them when they open", async () => {
    const changed = xt.slice();
    // Channel 1, row 5, column 3 of the first image: rows 4 and 5, columns 2 and 3 are its patch.
    changed[1 * 96 + 5 * 12 + 3] = 9;
    const touched = async (weights: Float32Array): Promise<number[]> => {
      const [before, after] = await Promise.all(
        [xt, changed].map((image) => probed.predict(weights, image, [5], [0, 1])),
      );
      return [...(at([after], 0) ?? [])].flatMap((value, i) => (value === before?.[i] ? [] : [i % 96]));
    };
    const weights = randomWeights(probed.count, 0.1);
    let offset = 0;
    const closed = weights.slice();
    for (const { name, shape } of parameters) {
      const size = shape.reduce((a, b) => a * b, 1);
      if (name.includes("adaLN") && name.startsWith("blocks")) closed.fill(0, offset, offset + size);
      offset += size;
    }
    expect(new Set(await touched(closed))).toEqual(new Set([4 * 12 + 2, 4 * 12 + 3, 5 * 12 + 2, 5 * 12 + 3]));
    expect(new Set(await touched(weights)).size).toBe(96);
  });

  it("learns", async () => {
    const seen = await losses(dit, { ...config, out_channels: 2 }, 40);
    expect(at(seen, 0)).toBeCloseTo(1, 0);
    expect(at(seen, 39)).toBeLessThan(0.6 * at(seen, 0));
  });

  it.each([
    [{ num_heads: 3 }, "3 heads do not divide hidden_size 16"],
    [{ patch_size: 5 }, "multiples of 5, got 2×8×12"],
    [{ patchsize: 2 }, "did you mean patch_size?"],
  ])("is refused with %j", (change, message) => {
    const parsed = dit.schema.safeParse({ ...dit.file(config), ...change });
    expect(parsed.error?.message).toContain(message);
  });

  it("keeps its configuration in its file", () => {
    expect(dit.schema.parse(dit.file(config))).toEqual(config);
  });
});
