import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { add, constant, conv2d, input, mul, sum } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { toPreparedOnnx, type PreparedModel } from "./emit-model.ts";

const BLOCK = 16;
const x = input("x", [1, 16, 4, 4]);
const values = Float64Array.from({ length: 16 * 16 * 9 }, (_, i) => (i % 7) - 3);
const kernel = constant(values, [16, 16, 3, 3]);

interface Parts {
  readonly model: readonly string[];
  readonly preparation: readonly string[] | undefined;
  readonly inputs: readonly string[];
  readonly prepared: PreparedModel;
}

function partsOf(y: Node, channelBlock = BLOCK): Parts {
  const prepared = toPreparedOnnx({ y }, channelBlock);
  const operators = (bytes: Uint8Array): string[] =>
    fromBinary(ModelProtoSchema, bytes).graph?.node.map(({ opType }) => opType) ?? [];
  return {
    prepared,
    model: operators(prepared.model),
    preparation: prepared.preparation && operators(prepared.preparation.model),
    inputs: fromBinary(ModelProtoSchema, prepared.model).graph?.input.map(({ name }) => name) ?? [],
  };
}

describe("a model with constant kernels", () => {
  it("leaves their layout to a model of its own, which is fed the constants", () => {
    const { model, preparation, inputs, prepared } = partsOf(conv2d(x, kernel, undefined, { padding: 1 }));
    expect(preparation).toContain("ReorderOutput");
    expect(model).toEqual(["ReorderInput", "Conv", "ReorderOutput"]);
    expect(inputs).toEqual(["x", ...(prepared.preparation?.kernels ?? [])]);
    const fed = Object.values(prepared.preparation?.feeds ?? {});
    expect(fed.map(({ shape }) => shape)).toEqual([[16, 16, 3, 3]]);
    expect([...(fed[0]?.data ?? [])]).toEqual([...values]);
  });

  it("keeps a constant that the rest needs too", () => {
    const y = add(conv2d(x, kernel, undefined, { padding: 1 }), sum(mul(kernel, kernel)));
    const { graph } = fromBinary(ModelProtoSchema, partsOf(y).prepared.model);
    expect(graph?.initializer.map(({ dims }) => dims)).toContainEqual([16n, 16n, 3n, 3n]);
  });

  it("is one model where kernels are inputs, or have no blocks", () => {
    expect(partsOf(conv2d(x, input("w", [16, 16, 3, 3]))).preparation).toBeUndefined();
    expect(partsOf(conv2d(x, kernel), 0).preparation).toBeUndefined();
  });
});
