import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType as DataType, type GraphProto, type ModelProto } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { build, cases, opNames, type Case } from "../../test/operator-cases.ts";
import { at } from "../math/error.ts";
import {
  add,
  concat,
  constant,
  input,
  inverseDeviation,
  matmul,
  mul,
  normalise,
  reshape,
  sin,
  split,
  sub,
  sum,
} from "../graph/builders.ts";
import { GraphError, type Node } from "../graph/node.ts";
import type { Emitter } from "../graph/operator.ts";
import { toOnnx } from "./emit-model.ts";

function decode(
  outputs: Record<string, Node>,
  target?: Emitter["target"],
): ModelProto & { readonly graph: GraphProto } {
  const model = fromBinary(ModelProtoSchema, toOnnx(outputs, target));
  if (!model.graph) throw new Error("the model has no graph");
  return { ...model, graph: model.graph };
}

const opTypes = ({ graph }: { readonly graph: GraphProto }): string[] => graph.node.map(({ opType }) => opType);
const x = input("x", [2, 3]);

describe("an emitted model", () => {
  it("says ir 10, opset 21 and its producer", () => {
    const model = decode({ y: sin(x) });
    expect(model).toMatchObject({ irVersion: 10n, producerName: "unnoise" });
    expect(model.opsetImport).toMatchObject([{ domain: "", version: 21n }]);
  });

  it("declares inputs and outputs with type and shape", () => {
    const ids = input("ids", [4], "int32");
    const { graph } = decode({ "next.x": sin(x), mask: sub(ids, 1), size: sum(x) });
    const described = [...graph.input, ...graph.output].map(({ name, type }) => {
      if (type?.value.case !== "tensorType") throw new Error(`${name} is no tensor`);
      const { elemType, shape } = type.value.value;
      return [name, elemType, shape?.dim.map(({ value }) => value.value)];
    });
    expect(described).toEqual([
      ["x", DataType.FLOAT, [2n, 3n]],
      ["ids", DataType.INT32, [4n]],
      ["next.x", DataType.FLOAT, [2n, 3n]],
      ["mask", DataType.INT32, [4n]],
      ["size", DataType.FLOAT, []],
    ]);
  });

  it("stores constants as little-endian raw data of their own type", () => {
    const sumOf = (dtype: "float32" | "int32", values: number[]): Node =>
      add(input("i", [2], dtype), constant(values, [2], dtype));
    const [floats, integers] = [decode({ y: sumOf("float32", [1, -2]) }), decode({ y: sumOf("int32", [1, -2]) })];
    expect([...(floats.graph.initializer[0]?.rawData ?? [])]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
    expect([...(integers.graph.initializer[0]?.rawData ?? [])]).toEqual([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    expect(integers.graph.initializer[0]).toMatchObject({ dataType: DataType.INT32, dims: [2n] });
  });

  it("holds equal constants once, small and large, and tells types, shapes and signs of zero apart", () => {
    const large = Array.from({ length: 600 }, (_, i) => i / 7);
    const wide = input("wide", [600]);
    const outputs = {
      a: add(mul(x, 2), 2),
      b: mul(add(wide, constant(large, [600])), constant(large, [600])),
      c: add(x, constant([2], [1])),
      d: sub(input("n", [], "int32"), 2),
      e: add(add(x, 0), -0),
    };
    // 2 as a scalar, as [1] and as int32; the large one; 0 and −0.
    expect(decode(outputs).graph.initializer).toHaveLength(6);
  });

  it("emits one node for what several operators share", () => {
    const parts = split(x, 1, [1, 2]);
    expect(opTypes(decode({ y: concat([...parts].reverse(), 1) }, "cpu")).filter((op) => op === "Split")).toHaveLength(
      1,
    );
  });

  it("emits one node for a normalisation and its deviation", () => {
    const both = mul(normalise(x, 1, 1e-5), inverseDeviation(x, 1, 1e-5));
    for (const [outputs, nodes] of [
      [{ y: both }, 1],
      [{ y: add(both, normalise(x, 1, 1e-6)) }, 2],
    ] as const) {
      const emitted = opTypes(decode(outputs, "cpu")).filter((op) => op === "LayerNormalization");
      expect(emitted).toHaveLength(nodes);
    }
  });

  it("transposes inside the product of two matrices", () => {
    const emitted = opTypes(decode({ y: matmul(x, x, { transposeB: true }) }));
    expect(emitted).toContain("Gemm");
    expect(emitted).not.toContain("Transpose");
  });

  it("leaves out what no output needs", () => {
    sin(input("unused", []));
    expect(decode({ y: reshape(x, [6]) }).graph.input.map(({ name }) => name)).toEqual(["x"]);
  });

  it("can give an input, a constant, or one value twice", () => {
    const y = sin(x);
    expect(decode({ same: x, one: constant(1), first: y, second: y }).graph.output.map(({ name }) => name)).toEqual([
      "same",
      "one",
      "first",
      "second",
    ]);
  });

  it("refuses names that clash", () => {
    expect(() => toOnnx({ y: add(x, input("x", [3])) })).toThrow(GraphError);
    expect(() => toOnnx({ x: sin(x) })).toThrow("input: the name x is already another input's or output's");
  });
});

const STANDARD = new Set(
  (
    "Abs Add And AveragePool Cast Concat Conv ConvTranspose Cos Div Equal Erf Exp Expand Gather Gemm Greater Identity " +
    "LayerNormalization Less Log MatMul Max Min Mul Neg Not Pad ReduceMax ReduceMean ReduceSum Reshape Resize Sigmoid Sin " +
    "Slice Softmax Split Sqrt Sub Tanh Transpose Where"
  ).split(" "),
);

describe.each(["generic", "cpu"] as const)("for %s", (target) => {
  it.each(opNames.filter((op) => cases[op].length > 0))("%s: names are unique and defined before use", (op) => {
    for (const one of cases[op] as readonly Case[]) {
      const { graph, opsetImport } = decode({ y: build(op, one as never).result }, target);
      const known = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
      expect(known.size).toBe(graph.input.length + graph.initializer.length);
      const domains = new Set(opsetImport.map(({ domain }) => domain));
      for (const node of graph.node) {
        // An optional input that is left out has the empty name.
        expect(node.input.filter((name) => name !== "" && !known.has(name))).toEqual([]);
        expect(node.output.filter((name) => known.has(name))).toEqual([]);
        node.output.forEach((name) => known.add(name));
        expect(domains).toContain(node.domain);
        if (target === "generic") expect(STANDARD).toContain(node.opType);
      }
      expect(known).toContain(at(graph.output, 0).name);
      if (target === "generic") expect([...domains]).toEqual([""]);
    }
  });
});
