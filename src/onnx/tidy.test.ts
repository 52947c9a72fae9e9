import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type GraphProto } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { add, input, mul, reshape, sum } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { toOnnx } from "./emit-model.ts";

const graphOf = (outputs: Readonly<Record<string, Node>>): GraphProto => {
  const { graph } = fromBinary(ModelProtoSchema, toOnnx(outputs));
  if (!graph) throw new Error("a model without a graph");
  return graph;
};
const operators = (outputs: Readonly<Record<string, Node>>): string[] =>
  graphOf(outputs).node.map(({ opType }) => opType);

const x = input("x", [2, 6]);

describe("a model as it is written", () => {
  it("has a reshape of a reshape as one, with the shapes that it needs", () => {
    const { node, initializer } = graphOf({ y: mul(reshape(reshape(x, [12]), [3, 4]), 2) });
    expect(node.map(({ opType }) => opType)).toEqual(["Reshape", "Mul"]);
    expect(node[0]?.input[0]).toBe("x");
    expect(initializer.map(({ dims }) => dims).sort()).toEqual([[], [2n]]);
  });

  it("keeps a reshape between that is a result, or that others need", () => {
    const flat = reshape(x, [12]);
    const between = graphOf({ flat, y: reshape(flat, [3, 4]) });
    expect(between.node.map(({ input: [source], output }) => [source, ...output])).toEqual([
      ["x", "flat"],
      ["x", "y"],
    ]);
    expect(operators({ y: add(sum(mul(flat, flat)), sum(reshape(flat, [3, 4]))) })).toEqual(
      expect.arrayContaining(["Reshape", "Reshape"]),
    );
  });

  it("copies a result under a second name right behind it", () => {
    const twice = add(x, x);
    const { node, output } = graphOf({ a: twice, b: twice, c: mul(twice, 3) });
    expect(node.map(({ opType, output: [name] }) => `${opType} ${name}`)).toEqual(["Add a", "Identity b", "Mul c"]);
    expect(output.map(({ name }) => name).sort()).toEqual(["a", "b", "c"]);
  });
});
