import { beforeAll, describe, expect, it } from "vitest";
import { backend } from "#backend";
import { constant, conv2d, convInputGrad, convWeightGrad, input } from "../graph/builders.ts";
import { evaluate } from "../graph/evaluate.ts";
import { isOp, type Node } from "../graph/node.ts";
import { topologicalOrder } from "../graph/traverse.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { toOnnx } from "../onnx/emit-model.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";
import type { Ort } from "./backend.ts";
import { channelBlock } from "./channel-block.ts";
import { compile } from "./executable.ts";

let ort: Ort;
let block: number;
beforeAll(async () => {
  ort = await backend.load("cpu");
  block = await channelBlock(ort);
});

let drawn = 0;
function normals(shape: Shape, scale = 1): Float32Array {
  const data = new Float64Array(sizeOf(shape));
  new Random(5, "metric").normals(data, 1, 0, drawn++);
  return Float32Array.from(data, (value) => scale * value);
}

/** What ONNX Runtime gives with so many channels in a block. */
async function run(node: Node, feeds: Readonly<Record<string, Float32Array>>, channels: number): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(toOnnx({ y: node }, "cpu", channels), {
    ...backend.sessionOptions("cpu", 2),
  });
  const leaves = topologicalOrder([node]).filter((leaf) => isOp(leaf, "input"));
  const tensors = leaves.map((leaf) => {
    const { name } = leaf.attributes;
    return [name, new ort.Tensor("float32", feeds[name] ?? new Float32Array(), leaf.shape)] as const;
  });
  const fetched = await session.run(Object.fromEntries(tensors));
  await session.release();
  return fetched["y"]?.data as Float32Array;
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** Largest difference between blocked and plain lowering, over the largest value. */
async function difference(
  node: Node,
  feeds: Readonly<Record<string, Float32Array>>,
  channels = block,
): Promise<number> {
  const [blocked, plain] = [await run(node, feeds, channels), await run(node, feeds, 0)];
  expect(blocked).toHaveLength(plain.length);
  return largest(blocked.map((value, i) => value - at(plain, i))) / largest(plain);
}

interface Case {
  readonly name: string;
  readonly n: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: readonly [number, number];
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: readonly [number, number, number, number];
  /** Whether Winograd's filtering is used: its rounding is larger. */
  readonly filtered?: boolean;
}

const cases: readonly Case[] = [
  { name: "3 × 3", n: 2, inputs: 16, outputs: 32, size: [6, 10] },
  { name: "1 × 1", n: 3, inputs: 32, outputs: 16, size: [5, 7], kernel: 1, padding: [0, 0, 0, 0] },
  { name: "asymmetric padding", n: 2, inputs: 16, outputs: 16, size: [8, 8], padding: [0, 1, 2, 1] },
  { name: "stride 2", n: 2, inputs: 16, outputs: 32, size: [8, 8], stride: 2, padding: [0, 0, 1, 1] },
  { name: "lines wider than a block", n: 1, inputs: 16, outputs: 16, size: [4, 35] },
  { name: "tiles of four", n: 3, inputs: 64, outputs: 96, size: [16, 16], filtered: true },
  { name: "tiles of two", n: 9, inputs: 96, outputs: 64, size: [14, 14], filtered: true },
  { name: "channels that fill no block", n: 2, inputs: 3, outputs: 16, size: [8, 8] },
  { name: "a batch of whole blocks", n: 16, inputs: 16, outputs: 48, size: [5, 7] },
  { name: "a batch of several blocks", n: 48, inputs: 3, outputs: 32, size: [6, 4], padding: [0, 1, 2, 0] },
  { name: "a batch of blocks, 1 × 1", n: 32, inputs: 32, outputs: 16, size: [5, 3], kernel: 1, padding: [0, 0, 0, 0] },
  { name: "a batch of blocks, 5 × 5", n: 16, inputs: 16, outputs: 16, size: [4, 4], kernel: 5, padding: [2, 2, 2, 2] },
];

function graphsOf(one: Case): { feeds: Record<string, Float32Array>; graphs: Record<"y" | "dx" | "dw", Node> } {
  const { n, inputs, outputs, size, kernel = 3, stride = 1, padding = [1, 1, 1, 1] } = one;
  const [x, w] = [input("x", [n, inputs, ...size]), input("w", [outputs, inputs, kernel, kernel])];
  const bias = input("bias", [outputs]);
  const y = conv2d(x, w, bias, { stride, padding });
  const dy = input("dy", y.shape);
  const attributes = { stride, padding, groups: 1 };
  return {
    feeds: {
      x: normals(x.shape),
      w: normals(w.shape, 0.1),
      bias: normals(bias.shape),
      dy: normals(dy.shape),
    },
    graphs: {
      y,
      dx: convInputGrad(dy, w, { ...attributes, size }),
      dw: convWeightGrad(x, dy, { ...attributes, kernel: [kernel, kernel] }),
    },
  };
}

describe("blocked convolutions", () => {
  it("has blocks on this processor where candidates exist", () => {
    expect(backend.channelBlocks.length > 0 ? backend.channelBlocks : [0]).toContain(block);
  });

  describe.each(cases)("$name", (one) => {
    it.each(["y", "dx", "dw"] as const)("%s equals the plain lowering", async (name) => {
      const { feeds, graphs } = graphsOf(one);
      expect(await difference(graphs[name], feeds)).toBeLessThan(one.filtered === true ? 1e-5 : 3e-6);
    });
  });

  it("equals the reference, and a kernel of constants is filtered too", async () => {
    const x = input("x", [2, 64, 8, 16]);
    const w = constant(normals([64, 64, 3, 3], 0.1), [64, 64, 3, 3]);
    const y = conv2d(x, w, constant(normals([64]), [64]), { padding: 1 });
    const feeds = { x: normals(x.shape) };
    const reference = at(evaluate([y], feeds), 0).data;
    const values = await run(y, feeds, block);
    expect(largest(values.map((value, i) => value - at(reference, i)))).toBeLessThan(1e-5 * largest(reference));
  }, 20_000);

  it("gives the same with constant kernels, prepared once, as with kernels that are fed", async () => {
    const x = input("x", [1, 64, 28, 28]);
    const weights = [normals([64, 64, 3, 3], 0.05), normals([64, 64, 1, 1], 0.1)];
    const network = (kernels: readonly Node[]): Node =>
      conv2d(conv2d(x, at(kernels, 0), undefined, { padding: 1 }), at(kernels, 1));
    const shapes = [
      [64, 64, 3, 3],
      [64, 64, 1, 1],
    ];
    const baked = await compile({ y: network(weights.map((w, i) => constant(w, at(shapes, i)))) }, { device: "cpu" });
    const fed = await compile({ y: network(shapes.map((shape, i) => input(`w${i}`, shape))) }, { device: "cpu" });
    const image = { x: normals(x.shape) };
    const { y: expected } = await fed.run({ ...image, w0: at(weights, 0), w1: at(weights, 1) });
    const first = await baked.run(image);
    const second = await baked.run(image);
    await Promise.all([baked.dispose(), fed.dispose()]);
    expect(first["y"]).toEqual(second["y"]);
    expect(largest(Float32Array.from(first["y"] ?? [], (value, i) => value - (expected?.[i] ?? NaN)))).toBeLessThan(
      1e-5,
    );
  });

  it.runIf(backend.channelBlocks.length > 0)("tells a wrong block from the right one", async () => {
    const { feeds, graphs } = graphsOf({ name: "", n: 1, inputs: 32, outputs: 32, size: [4, 4] });
    await expect(run(graphs.y, feeds, block === 16 ? 8 : 16)).rejects.toThrow(/running Reshape node/);
  });
});
