import { describe, expect, it } from "vitest";
import { input, inverseDeviation, scatterAdd } from "../src/graph/builders.ts";
import { evaluate } from "../src/graph/evaluate.ts";
import { isOp, type Node, type OpName } from "../src/graph/node.ts";
import { at } from "../src/math/error.ts";
import type { Device } from "../src/runtime/backend.ts";
import { compile, type HostArray } from "../src/runtime/executable.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import { absence } from "./absence.ts";
import { build, cases, opNames, type BuiltCase, type Case, type CaseValue } from "./operator-cases.ts";

const UNIT = 2 ** -24;

/**
 * How many roundings of 2^-24 a float32 result may carry, relative to the largest value of the result: 0 moves or compares
 * values; 1 is one correctly rounded operation; `terms` adds that many products or terms, in any order, so that the bound is
 * terms + 1 roundings of Σ|term|; 8 is a function approximated to a few units in the last place.
 */
const roundings: Readonly<Record<OpName, number | "terms">> = {
  ...{
    input: 0,
    constant: 0,
    neg: 0,
    abs: 0,
    minimum: 0,
    maximum: 0,
    equal: 0,
    less: 0,
    greater: 0,
    where: 0,
    cast: 0,
    detach: 0,
    checkpoint: 0,
    gate: 0,
  },
  ...{
    gather: 0,
    reshape: 0,
    broadcast: 0,
    transpose: 0,
    slice: 0,
    pad: 0,
    concat: 0,
    split: 0,
    reduceMax: 0,
    upsample: 0,
  },
  ...{ add: 1, sub: 1, mul: 1, div: 1, sqrt: 1 },
  ...{ matmul: "terms", gemm: "terms", sum: "terms", scatterAdd: "terms" },
  ...{ conv: "terms", convInputGrad: "terms", convWeightGrad: "terms", averagePool: "terms", normalise: 8 },
  ...{ exp: 8, log: 8, sin: 8, cos: 8, tanh: 8, sigmoid: 8, erf: 8, silu: 8, softmax: 8 },
};

/** Terms that one element of the result adds up. */
function termsOf(node: Node): number {
  const { shape } = at(node.inputs, 0);
  if (node.op === "sum") return sizeOf(shape) / sizeOf(node.shape);
  if (node.op === "scatterAdd") return at(shape, 0);
  if (isOp(node, "averagePool")) return node.attributes.size ** 2;
  if (isOp(node, "conv")) return sizeOf(at(node.inputs, 1).shape.slice(1)) + 1;
  if (isOp(node, "convInputGrad")) return sizeOf(at(node.inputs, 1).shape);
  if (isOp(node, "convWeightGrad")) return sizeOf(at(node.inputs, 1).shape) / at(node.shape, 0);
  const { transposeA } = node.attributes as Node<"matmul">["attributes"];
  return at(shape, shape.length - (transposeA ? 2 : 1)) + 1;
}

const largest = (values: Float64Array): number => Math.max(0, ...values.map(Math.abs));

/** The largest error that rounding explains. */
function tolerance({ result, feeds }: BuiltCase, device: Device): number {
  // WGSL promises sin and cos only to an absolute 2^-11 on [−π, π] (WGSL specification, 15.7.4.1).
  if (device === "webgpu" && (result.op === "sin" || result.op === "cos")) return 2 ** -11;
  // ONNX Runtime's shader is Abramowitz & Stegun 7.1.26, which is off by up to 1.5e-7 before rounding.
  if (device === "webgpu" && result.op === "erf") return 1.5e-7 + 8 * UNIT;
  // A GPU may divide by a reciprocal: 2.5 units in the last place (same section); a square root may be a reciprocal's.
  const allowed = device === "webgpu" && (result.op === "div" || result.op === "sqrt") ? 5 : roundings[result.op];
  if (result.dtype !== "float32") return 0;
  return (allowed === "terms" ? termsOf(result) + 1 : allowed) * UNIT * scaleOf(result, feeds);
}

/**
 * What roundings are relative to: the largest value, for sums the largest Σ|term|, for a normalisation what it would be without
 * taking the mean away, because the difference keeps the absolute error of x.
 */
function scaleOf(result: Node, feeds: BuiltCase["feeds"]): number {
  if (isOp(result, "normalise")) {
    const { firstAxis, epsilon, part } = result.attributes;
    const deviation = largest(reference(inverseDeviation(at(result.inputs, 0), firstAxis, epsilon), feeds));
    const size = Math.max(1, deviation * largest(Float64Array.from(at(Object.values(feeds), 0))));
    return part === "value" ? size : size * deviation;
  }
  if (roundings[result.op] !== "terms") return largest(reference(result, feeds));
  const magnitudes = Object.entries(feeds).map(([name, data]) => [name, data.map(Math.abs)] as const);
  return largest(reference(result, Object.fromEntries(magnitudes)));
}

function reference(result: Node, feeds: Readonly<Record<string, ArrayLike<number>>>): Float64Array {
  return at(evaluate([result], feeds), 0).data;
}

function hostArray({ dtype, data }: CaseValue): HostArray {
  if (dtype === "float32") return Float32Array.from(data);
  return dtype === "int32" ? Int32Array.from(data) : Uint8Array.from(data);
}

/** All cases of an operator as one graph: GPUs take most of their time to build a session. */
async function runCases(op: OpName, device: Device): Promise<{ name: string; graph: BuiltCase; got: HostArray }[]> {
  const all = cases[op] as readonly Case[];
  const graphs = all.map((one, i) => build(op, one as never, `${i}.`));
  const fed = all.flatMap((one, i) =>
    Object.keys(at(graphs, i).feeds).map((name, k) => [name, hostArray(at(one.values, k))] as const),
  );
  const executable = await compile(Object.fromEntries(graphs.map(({ result }, i) => [`${i}`, result])), { device });
  const results = await executable.run(Object.fromEntries(fed));
  await executable.dispose();
  return graphs.map((graph, i) => ({ name: at(all, i).name, graph, got: results[`${i}`] as HostArray }));
}

const distance = (got: HostArray, expected: Float64Array): number =>
  Math.max(...expected.map((value, i) => Math.abs(value - at(got, i))));

const used = opNames.filter((op) => cases[op].length > 0);

for (const device of ["cpu", "wasm", "webgpu", "cuda"] as const) {
  const absent = await absence(device);
  describe.skipIf(absent)(`${device} against the float64 reference${absent ? ` (skipped: ${absent})` : ""}`, () => {
    it.each(used)("%s", async (op) => {
      for (const { name, graph, got } of await runCases(op, device)) {
        const expected = reference(graph.result, graph.feeds);
        expect(got.length, name).toBe(expected.length);
        expect(distance(got, expected), name).toBeLessThanOrEqual(tolerance(graph, device));
      }
    });
  });
}

it("scatterAdd on two threads of the CPU loses none of 100,000 updates of 4 rows", async () => {
  const [count, width] = [100_000, 8];
  const indices = Int32Array.from({ length: count }, (_, i) => (i * 7) % 4);
  // Small integers, so that every partial sum is exact in float32.
  const updates = Float32Array.from({ length: count * width }, (_, i) => (i % 11) - 3);
  const result = scatterAdd(input("updates", [count, width]), input("indices", [count], "int32"), 4);
  const executable = await compile({ result }, { device: "cpu", threads: 2 });
  const expected = Float32Array.from(reference(result, { updates, indices }));
  // A race shows only in some runs.
  for (let i = 0; i < 10; i++) expect((await executable.run({ updates, indices }))["result"]).toEqual(expected);
  await executable.dispose();
});

describe("the tolerance", () => {
  const graphs = used.flatMap((op) => (cases[op] as readonly Case[]).map((one) => build(op, one as never)));

  it("is a millionth of what is compared, for 300 terms a 50,000th", () => {
    for (const graph of graphs) {
      const part = roundings[graph.result.op] === "terms" ? 2e-5 : 1e-6;
      expect(tolerance(graph, "cpu"), graph.result.op).toBeLessThanOrEqual(part * scaleOf(graph.result, graph.feeds));
    }
  });

  it("does not let the result of another operator pass", async () => {
    for (const { name, graph, got } of await runCases("sigmoid", "cpu")) {
      const other = build("tanh", { name, values: valuesOf(graph), attributes: {} });
      expect(distance(got, reference(other.result, other.feeds)), name).toBeGreaterThan(
        100 * tolerance(other, "webgpu"),
      );
    }
  });
});

function valuesOf({ inputs, feeds }: BuiltCase): CaseValue[] {
  return inputs.map(({ dtype, shape }, i) => ({ dtype, shape, data: at(Object.values(feeds), i) }));
}
