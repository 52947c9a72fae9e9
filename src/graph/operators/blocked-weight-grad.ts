import { at } from "../../math/error.ts";
import type { Node } from "../node.ts";
import type { Emitter } from "../operator.ts";
import { lowerBatchWeightGrad } from "./batch-weight-grad.ts";
import { blockedConv, columnsToBlocks, isBlocked, reshaped, toBlocks } from "./blocked-layout.ts";

interface Geometry {
  readonly n: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly x: readonly [height: number, width: number];
  readonly dy: readonly [height: number, width: number];
  /** Columns of the image after padding to whole blocks. */
  readonly pitch: number;
}

/** The gradient with respect to the kernel by blocked convolutions, or undefined where the stride is not 1 or dy has no blocks. */
export function lowerBlockedWeightGrad(
  emit: Emitter,
  inputs: readonly string[],
  node: Node<"convWeightGrad">,
): string | undefined {
  const { stride, groups, kernel } = node.attributes;
  const [n, outputs, , columns] = at(node.inputs, 1).shape as [number, number, number, number];
  if (groups !== 1 || stride !== 1 || !isBlocked(emit, outputs)) return undefined;
  const [x, dy] = inputs as [string, string];
  // One column of the kernel needs no shifts, and whole blocks no border: then pixels are copied less.
  const isPlain = kernel[1] === 1 && isBlocked(emit, columns);
  const lower = isBlocked(emit, n) && !isPlain ? lowerBatchWeightGrad : lowerPixelWeightGrad;
  return lower(emit, [x, dy], node);
}

/**
 * The gradient for a batch of any size, as one blocked convolution for each kernel column: its channels are blocks of pixels of a
 * line, its image has the lines as height and the channels of x as width, and its kernel is dy, blocked, shifted by the column. dy in
 * blocks of channels is such a kernel as it lies in memory.
 */
function lowerPixelWeightGrad(emit: Emitter, [x, dy]: readonly [string, string], node: Node<"convWeightGrad">): string {
  const { padding, kernel } = node.attributes;
  const geometry = geometryOf(emit, node);
  const { inputs, outputs, pitch } = geometry;
  const block = emit.channelBlock;
  const [top, left, bottom] = padding as [number, number, number];
  const image = pixelBlocks(emit, x, geometry);
  const gradient = turnedGradient(emit, dy, at(node.inputs, 1), geometry);
  const across = { kernel: [geometry.dy[0], pitch / block], padding: [top, 0, bottom, 0], dilations: [1, inputs] };
  const columns = Array.from({ length: at(kernel, 1) }, (_, column) => {
    const shifted = shiftedGradient(emit, gradient, column - left, geometry);
    const product = blockedConv(emit, [image, shifted], across);
    return reshaped(emit, product, [outputs / block, at(kernel, 0), inputs, block, 1]);
  });
  const joined = columns.length === 1 ? at(columns, 0) : emit.node("Concat", columns, { axis: { int: 4 } });
  const ordered = emit.node("Transpose", [joined], { perm: { ints: [0, 3, 2, 1, 4] } });
  return reshaped(emit, ordered, [outputs, inputs, ...kernel]);
}

function geometryOf({ channelBlock }: Emitter, { inputs: [x, dy] }: Node): Geometry {
  const [n, inputs, height, width] = x?.shape as [number, number, number, number];
  const [, outputs, rows, columns] = dy?.shape as [number, number, number, number];
  const block = Math.max(1, channelBlock);
  const pitch = Math.ceil(Math.max(width, columns) / block) * block;
  return { n, inputs, outputs, x: [height, width], dy: [rows, columns], pitch };
}

/** x [n, Ci, H, W] as an image whose channels are n blocks of pixels, [n, H, W/B, Ci, B]: height H, width W/B·Ci. */
function pixelBlocks(emit: Emitter, x: string, { n, inputs, x: [height, width], pitch }: Geometry): string {
  const block = emit.channelBlock;
  const wide = pitch === width ? x : padded(emit, x, [0, 0, 0, 0], [0, 0, 0, pitch - width]);
  const blocks = columnsToBlocks(emit, wide, [n, inputs, height * pitch]);
  return reshaped(emit, blocks, [1, n * block, height, (pitch / block) * inputs]);
}

/** Blocks of dy with the batch inside the channel blocks, [Co/B, n, H, W, B]: once for all columns. */
function turnedGradient(emit: Emitter, dy: string, node: Node, { n, outputs, dy: size }: Geometry): string {
  const count = outputs / emit.channelBlock;
  const blocks = toBlocks(emit, dy, node);
  if (n === 1 || count === 1) return reshaped(emit, blocks, [count, n, ...size, emit.channelBlock]);
  const apart = reshaped(emit, blocks, [n, count, ...size, emit.channelBlock]);
  return emit.node("Transpose", [apart], { perm: { ints: [1, 0, 2, 3, 4] } });
}

/** dy moved right by `shift` pixels within lines of `pitch` pixels, as a kernel; what leaves the line met only zeros. */
function shiftedGradient(
  emit: Emitter,
  gradient: string,
  shift: number,
  { n, outputs, dy: [rows, columns], pitch }: Geometry,
): string {
  const after = pitch - columns - shift;
  const moved =
    shift === 0 && after === 0 ? gradient : padded(emit, gradient, [0, 0, 0, shift, 0], [0, 0, 0, after, 0]);
  return reshaped(emit, moved, [outputs, n * emit.channelBlock, rows, pitch / emit.channelBlock]);
}

/** Zeros before and after; negative counts cut off. */
function padded(emit: Emitter, x: string, before: readonly number[], after: readonly number[]): string {
  return emit.node("Pad", [x, emit.ints([...before, ...after])]);
}
