import { at } from "../../math/error.ts";
import type { Convolution, Node } from "../node.ts";
import type { Emitter, OnnxAttribute } from "../operator.ts";
import { lowerBlockedConv, lowerBlockedInputGrad } from "./blocked-conv.ts";
import { lowerBlockedWeightGrad } from "./blocked-weight-grad.ts";

type Lowering<K extends "conv" | "convInputGrad" | "convWeightGrad"> = (
  emit: Emitter,
  inputs: readonly string[],
  node: Node<K>,
) => string;

const attributesOf = ({ stride, padding, groups }: Convolution): Record<string, OnnxAttribute> => ({
  strides: { ints: [stride, stride] },
  pads: { ints: padding },
  group: { int: groups },
});

export const lowerConv: Lowering<"conv"> = (emit, inputs, node) =>
  lowerBlockedConv(emit, inputs, node) ?? emit.node("Conv", inputs, attributesOf(node.attributes));

/** Rows and columns of the padded image that no window reaches, because the stride does not divide. */
function unreached(size: readonly number[], kernel: readonly number[], { stride, padding }: Convolution): number[] {
  return size.map((extent, axis) => (extent + at(padding, axis) + at(padding, axis + 2) - at(kernel, axis)) % stride);
}

export const lowerInputGrad: Lowering<"convInputGrad"> = (emit, inputs, node) =>
  lowerBlockedInputGrad(emit, inputs, node) ?? plainInputGrad(emit, inputs, node);

const plainInputGrad: Lowering<"convInputGrad"> = (emit, inputs, node) => {
  const { attributes } = node;
  const kernel = at(node.inputs, 1).shape.slice(2);
  return emit.node("ConvTranspose", inputs, {
    ...attributesOf(attributes),
    output_padding: { ints: unreached(attributes.size, kernel, attributes) },
  });
};

export const lowerWeightGrad: Lowering<"convWeightGrad"> = (emit, inputs, node) =>
  lowerBlockedWeightGrad(emit, inputs, node) ?? plainWeightGrad(emit, inputs, node);

/**
 * One convolution whose batch is the channels of x, whose channels are the batch, and whose kernels are the channels of dy, spread
 * by the stride; groups stay groups. Where the stride does not divide, it gives rows and columns too many.
 */
const plainWeightGrad: Lowering<"convWeightGrad"> = (emit, [x, dy], node) => {
  const { attributes, shape } = node;
  const { stride, padding, groups, kernel } = attributes;
  const [batch, channels, height, width] = at(node.inputs, 0).shape as [number, number, number, number];
  const split = emit.node("Reshape", [x ?? "", emit.ints([batch, groups, channels / groups, height, width])]);
  const turned = emit.node("Transpose", [split], { perm: { ints: [2, 1, 0, 3, 4] } });
  const image = emit.node("Reshape", [turned, emit.ints([channels / groups, groups * batch, height, width])]);
  const kernels = emit.node("Transpose", [dy ?? ""], { perm: { ints: [1, 0, 2, 3] } });
  const product = emit.node("Conv", [image, kernels], {
    dilations: { ints: [stride, stride] },
    pads: { ints: padding },
    group: { int: groups },
  });
  const dw = emit.node("Transpose", [product], { perm: { ints: [1, 0, 2, 3] } });
  if (unreached([height, width], kernel, attributes).every((extra) => extra === 0)) return dw;
  return emit.node("Slice", [dw, emit.ints([0, 0]), emit.ints(shape.slice(2)), emit.ints([2, 3])]);
};
