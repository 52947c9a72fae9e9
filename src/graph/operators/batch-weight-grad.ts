import { at } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Node } from "../node.ts";
import type { Emitter } from "../operator.ts";
import {
  blockedConv,
  blocksOf,
  blocksTogether,
  gradientOfBlocks,
  reshaped,
  toBlocks,
  type ImageShape,
} from "./blocked-layout.ts";

/**
 * The gradient with respect to the kernel for stride 1 and a batch that divides into blocks, as one blocked convolution that sums over
 * the images of a block as others do over channels: its image has the lines of x as height and as width the columns of x with their
 * border, in each all channels; its kernel is dy, so that a step by as many channels is one to the next column. Blocks are groups,
 * whose results are added up.
 */
export function lowerBatchWeightGrad(
  emit: Emitter,
  [x, dy]: readonly [string, string],
  node: Node<"convWeightGrad">,
): string {
  const [top, left, bottom, right] = node.attributes.padding as ImageShape;
  const shape = node.shape as ImageShape;
  const [n, , ...size] = at(node.inputs, 1).shape as ImageShape;
  const groups = n / emit.channelBlock;
  const image = linesOfChannels(emit, x, at(node.inputs, 0), [left, right]);
  const product = blockedConv(emit, [image, gradientAsKernel(emit, dy, at(node.inputs, 1))], {
    kernel: size,
    padding: [top, 0, bottom, 0],
    dilations: [1, shape[1]],
    groups,
  });
  const parts = reshaped(emit, product, [groups, sizeOf(shape)]);
  const sum = emit.node("ReduceSum", [parts, emit.ints([0])], { keepdims: { int: 0 } });
  return gradientOfBlocks(emit, sum, shape);
}

/** x [n, Ci, H, W] as an image of n channels: height H, width (left + W + right)·Ci. */
function linesOfChannels(emit: Emitter, x: string, { shape }: Node, [left, right]: readonly [number, number]): string {
  const [n, channels, height, width] = shape as ImageShape;
  const last = emit.node("Transpose", [x], { perm: { ints: [0, 2, 3, 1] } });
  const wide = emit.node("Pad", [last, emit.ints([0, 0, left, 0, 0, 0, right, 0])]);
  return blocksOf(emit, reshaped(emit, wide, [1, n, height, (left + width + right) * channels]));
}

/** dy [n, Co, …size] as a kernel [n/B·Co, B, …size] of n/B groups: its inputs are the images of a group. */
function gradientAsKernel(emit: Emitter, dy: string, node: Node): string {
  const [n, channels, ...size] = node.shape as ImageShape;
  const block = emit.channelBlock;
  const [groups, count] = [n / block, channels / block];
  const apart = reshaped(emit, toBlocks(emit, dy, node), [groups, block, count, sizeOf(size) * block]);
  const turned = count === 1 ? apart : emit.node("Transpose", [apart], { perm: { ints: [0, 2, 1, 3] } });
  const kernel = blocksTogether(emit, turned, [groups * count, block, ...size]);
  return reshaped(emit, kernel, [groups * channels, block, ...size]);
}
