import { at } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Node } from "../node.ts";
import type { Emitter } from "../operator.ts";
import { blockedConv, fromBlocks, isBlocked, kernelBlocks, reshaped, toBlocks } from "./blocked-layout.ts";
import { filteringFor, winogradConv } from "./winograd.ts";

/** Below so many products a convolution's own work is less than that of starting the many small operators of Winograd's filtering. */
const WINOGRAD_PRODUCTS = 2.5e7;
/**
 * Pixels under each weight from which filtering pays: it reads twice the weights, and transforms them first where they are not
 * constant.
 */
const WINOGRAD_PIXELS = { constant: 128, changing: 512 };
/**
 * Images of a batch that a constant kernel's choice is made for, whatever the batch: both ways round differently, and an image must get
 * the same bits in any company. As measured, small batches lose nothing by the choice of large ones.
 */
const CONSTANT_BATCH = 64;

/** What the two operators share: a kernel that slides over `image` with stride 1 or more and gives `node`. */
interface Sliding {
  readonly image: string;
  readonly source: Node;
  readonly w: string;
  readonly kernel: Node;
  readonly bias?: string | undefined;
  readonly node: Node;
  readonly stride: number;
  readonly padding: readonly number[];
  readonly backward: boolean;
}

/** The convolution on blocked images, or undefined where images or kernels have none. */
export function lowerBlockedConv(emit: Emitter, inputs: readonly string[], node: Node<"conv">): string | undefined {
  const [image, w, bias] = inputs as [string, string, string | undefined];
  const [source, kernel] = [at(node.inputs, 0), at(node.inputs, 1)];
  const { groups, ...rest } = node.attributes;
  if (groups !== 1 || !isBlocked(emit, at(source.shape, 1), at(node.shape, 1))) return undefined;
  return slide(emit, { image, source, w, kernel, bias, node, ...rest, backward: false });
}

/** The gradient with respect to the image: dy convolved with the kernel turned by half a turn; for stride 1. */
export function lowerBlockedInputGrad(
  emit: Emitter,
  inputs: readonly string[],
  node: Node<"convInputGrad">,
): string | undefined {
  const [image, w] = inputs as [string, string];
  const [source, kernel] = [at(node.inputs, 0), at(node.inputs, 1)];
  const { groups, stride, padding } = node.attributes;
  if (groups !== 1 || stride !== 1 || !isBlocked(emit, at(source.shape, 1), at(node.shape, 1))) return undefined;
  const [height, width] = kernel.shape.slice(2) as [number, number];
  const border = padding.map((pad, side) => (side % 2 === 0 ? height : width) - 1 - pad);
  if (border.some((pad) => pad < 0)) return undefined;
  return slide(emit, { image, source, w, kernel, node, stride, padding: border, backward: true });
}

function slide(emit: Emitter, sliding: Sliding): string {
  const { image, source, w, kernel, bias, node, backward } = sliding;
  const [outputs, inputs, ...size] = kernel.shape as [number, number, number, number];
  const [n, channels, height, width] = node.shape as [number, number, number, number];
  const use = { outputs, inputs, taps: sizeOf(size), backward };
  const blocks = toBlocks(emit, image, source);
  const filtering = isWorthFiltering(sliding) ? filteringFor(height) : undefined;
  const result = filtering
    ? winogradConv(emit, { image: blocks, w, bias }, { ...use, n, height, width }, filtering)
    : plainConv(emit, { ...sliding, image: blocks }, use);
  return fromBlocks(emit, result, channels);
}

function plainConv(
  emit: Emitter,
  { image, w, bias, kernel, stride, padding, backward }: Sliding,
  use: Parameters<typeof kernelBlocks>[2],
): string {
  const size = kernel.shape.slice(2);
  const blocks = kernelBlocks(emit, w, use);
  const turned = emit.ints(Array.from({ length: use.taps }, (_, tap) => use.taps - 1 - tap));
  const ordered = backward && use.taps > 1 ? emit.node("Gather", [blocks, turned], { axis: { int: 1 } }) : blocks;
  const [outputs, inputs] = backward ? [use.inputs, use.outputs] : [use.outputs, use.inputs];
  const shaped = reshaped(emit, ordered, [outputs, inputs, ...size]);
  return blockedConv(emit, [image, shaped], { kernel: size, padding, strides: [stride, stride] }, { bias });
}

function isWorthFiltering({ kernel, node, stride, padding }: Sliding): boolean {
  const square = kernel.shape.slice(2).every((extent) => extent === 3) && padding.every((pad) => pad === 1);
  if (!square || stride !== 1) return false;
  const constant = isConstant(kernel);
  const batch = constant ? CONSTANT_BATCH : at(node.shape, 0);
  const pixels = batch * sizeOf(node.shape.slice(2));
  const least = constant ? WINOGRAD_PIXELS.constant : WINOGRAD_PIXELS.changing;
  return pixels >= least && pixels * sizeOf(kernel.shape) >= WINOGRAD_PRODUCTS;
}

/** Whether a weight is a constant or cut out of one. */
function isConstant({ op, inputs }: Node): boolean {
  return op === "constant" || (inputs.length > 0 && inputs.every(isConstant));
}
