import { at } from "../../math/error.ts";
import type { Node } from "../node.ts";
import type { Emitter } from "../operator.ts";
import { blockedConv, blocksTogether, blocksOf, reshaped, toBlocks } from "./blocked-layout.ts";

/** x is [n, inputs, …], dy [n, outputs, …size]. */
interface Geometry {
  readonly n: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: readonly [rows: number, columns: number];
}

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
  const { padding, kernel } = node.attributes;
  const [top, left, bottom, right] = padding as [number, number, number, number];
  const { n, inputs, outputs, size } = geometryOf(node);
  const block = emit.channelBlock;
  const groups = n / block;
  const image = linesOfChannels(emit, x, at(node.inputs, 0), [left, right]);
  const gradient = gradientAsKernel(emit, dy, at(node.inputs, 1), { n, inputs, outputs, size });
  const border = [top, 0, bottom, 0];
  const product = blockedConv(emit, [image, gradient], {
    kernel: size,
    padding: border,
    dilations: [1, inputs],
    groups,
  });
  const taps = at(kernel, 0) * at(kernel, 1);
  const parts = reshaped(emit, product, [groups, outputs / block, taps, inputs, block]);
  const sum = emit.node("ReduceSum", [parts, emit.ints([0])], { keepdims: { int: 0 } });
  const ordered = emit.node("Transpose", [sum], { perm: { ints: [0, 3, 2, 1] } });
  return reshaped(emit, ordered, [outputs, inputs, ...kernel]);
}

function geometryOf({ inputs: [x, dy] }: Node): Geometry {
  const [n, inputs] = x?.shape as [number, number];
  const [, outputs, rows, columns] = dy?.shape as [number, number, number, number];
  return { n, inputs, outputs, size: [rows, columns] };
}

/** x [n, Ci, H, W] as an image of n channels: height H, width (left + W + right)·Ci. */
function linesOfChannels(emit: Emitter, x: string, { shape }: Node, [left, right]: readonly [number, number]): string {
  const [n, inputs, height, width] = shape as [number, number, number, number];
  const last = emit.node("Transpose", [x], { perm: { ints: [0, 2, 3, 1] } });
  const wide = emit.node("Pad", [last, emit.ints([0, 0, left, 0, 0, 0, right, 0])]);
  const image = reshaped(emit, wide, [1, n, height, (left + width + right) * inputs]);
  return blocksOf(emit, image);
}

/** dy as a kernel [n·Co/B, B, rows, columns] of n/B groups: its inputs are the images of a group. */
function gradientAsKernel(emit: Emitter, dy: string, node: Node, { n, outputs, size }: Geometry): string {
  const block = emit.channelBlock;
  const [groups, count] = [n / block, outputs / block];
  const blocks = toBlocks(emit, dy, node);
  const apart = reshaped(emit, blocks, [groups, block, count, size[0] * size[1] * block]);
  const turned = count === 1 ? apart : emit.node("Transpose", [apart], { perm: { ints: [0, 2, 1, 3] } });
  const kernel = blocksTogether(emit, turned, [groups * count, block, ...size]);
  return reshaped(emit, kernel, [groups * outputs, block, ...size]);
}
