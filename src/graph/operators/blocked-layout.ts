import { sizeOf } from "../../tensor/tensor.ts";
import type { Node } from "../node.ts";
import type { Emitter, OnnxAttribute } from "../operator.ts";

/**
 * ONNX Runtime's convolutions for the processor work on images in blocks of B channels, [N, C/B, H, W, B], and on kernels
 * [Co/B, Ci/B, kh, kw, B inputs, B outputs]; both carry the shape of the plain array. B is 16 with AVX-512 and 8 without.
 */
const NCHWC = "com.microsoft.nchwc";

/** Extents of images [N, C, H, W], and of what has as many axes. */
export type ImageShape = readonly [number, number, number, number];

/** Whether images of so many channels divide into blocks. */
export function isBlocked({ channelBlock }: Emitter, ...channels: readonly number[]): boolean {
  return channelBlock > 0 && channels.every((count) => count % channelBlock === 0);
}

export function reshaped(emit: Emitter, x: string, shape: readonly number[]): string {
  return emit.node("Reshape", [x, emit.ints(shape)]);
}

/** An image in blocks. */
export function blocksOf(emit: Emitter, image: string): string {
  return emit.node("ReorderInput", [image], {}, NCHWC);
}

/** The image `node`, whose value is called `x`, in blocks: once for all its users. */
export function toBlocks(emit: Emitter, x: string, node: Node): string {
  return emit.once(node, `blocks of ${x}`, () => [blocksOf(emit, x)])[0] as string;
}

/** A blocked image as [N, C, H, W] again. */
export function fromBlocks(emit: Emitter, x: string, channels: number): string {
  return emit.node("ReorderOutput", [x], { channels: { int: channels } }, NCHWC);
}

/** `count` blocked images of one block of channels, [N, count, …size, B], as [N, …size, count, B]: pixel by pixel. */
export function blocksTogether(emit: Emitter, x: string, [n, count, ...size]: ImageShape): string {
  const channels = count * emit.channelBlock;
  const image = reshaped(emit, x, [n, channels, ...size]);
  return emit.node("ReorderOutput", [image], { channels: { int: channels }, channels_last: { int: 1 } }, NCHWC);
}

/** Rows x [N, R, S] as [N, S/B, R, B]: S along the blocks, as images with their channels last. */
export function columnsToBlocks(
  emit: Emitter,
  x: string,
  [n, rows, columns]: readonly [number, number, number],
): string {
  const image = reshaped(emit, x, [n, 1, rows, columns]);
  return emit.node("ReorderInput", [image], { channels_last: { int: 1 } }, NCHWC);
}

/** How a kernel moves, axis by axis; `padding` is [top, left, bottom, right]. */
export interface BlockedConvolution {
  readonly kernel: readonly number[];
  readonly padding?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly groups?: number;
}

/** What a blocked convolution adds to its result: one value for each channel, and an image of the result's shape. */
export interface Addends {
  readonly bias?: string | undefined;
  readonly sum?: string | undefined;
}

/** A convolution of a blocked image and a blocked kernel. */
export function blockedConv(
  emit: Emitter,
  [image, kernel]: readonly [string, string],
  { kernel: size, padding = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1], groups = 1 }: BlockedConvolution,
  { bias = "", sum = "" }: Addends = {},
): string {
  const inputs = [image, kernel, bias, sum];
  while (inputs.at(-1) === "") inputs.pop();
  const attributes: Record<string, OnnxAttribute> = {
    kernel_shape: { ints: size },
    pads: { ints: padding },
    strides: { ints: strides },
    dilations: { ints: dilations },
    group: { int: groups },
  };
  return emit.node("Conv", inputs, attributes, NCHWC);
}

/** How a kernel [Co, Ci, taps] is used: forward, or backward with inputs and outputs exchanged. */
export interface KernelUse {
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  readonly backward: boolean;
}

/** Kernels [Co, Ci, taps] as [Co/B·Ci/B, taps, B·B], ready to be one blocked kernel; backward as [Ci/B·Co/B, …]. */
export function kernelBlocks(emit: Emitter, w: string, { outputs, inputs, taps, backward }: KernelUse): string {
  const block = emit.channelBlock;
  const [rows, columns] = [outputs / block, inputs / block];
  const shape = [rows * columns, taps, block * block];
  if (!backward) {
    const lined = blocksOf(emit, reshaped(emit, w, [rows, block, inputs * taps, 1]));
    return reshaped(emit, blocksTogether(emit, lined, [rows * columns, block, taps, 1]), shape);
  }
  const lined = blocksOf(emit, reshaped(emit, w, [outputs * columns, block, taps, 1]));
  const together = blocksTogether(emit, lined, [rows, block, columns * taps, 1]);
  const apart = reshaped(emit, together, [rows, columns, taps * block * block]);
  const turned = emit.node("Transpose", [apart], { perm: { ints: [1, 0, 2] } });
  return reshaped(emit, turned, shape);
}

/** A kernel's gradient that lies as [Co/B, …taps, Ci, B] in memory, as [Co, Ci, …taps]. */
export function gradientOfBlocks(emit: Emitter, x: string, [outputs, inputs, ...taps]: ImageShape): string {
  const { channelBlock: block } = emit;
  const image = reshaped(emit, x, [outputs / block, block, sizeOf(taps), inputs]);
  const plain = reshaped(emit, fromBlocks(emit, image, block), [outputs, ...taps, inputs]);
  return emit.node("Transpose", [plain], { perm: { ints: [0, 3, 1, 2] } });
}
