import { at } from "../../math/error.ts";
import type { Emitter } from "../operator.ts";
import { blockedConv, kernelBlocks, reshaped, type KernelUse } from "./blocked-layout.ts";

/**
 * Winograd's minimal filtering F(m, 3) along one axis (Lavin & Gray 2016, arXiv 1509.09308, section 4.1): m results of 3 taps from
 * m + 2 products y = Aᵀ[(G·g) ∘ (Bᵀ·d)] instead of 3m.
 */
interface Filtering {
  /** Results of one tile, m. */
  readonly tile: number;
  /** Bᵀ: what of the m + 2 inputs goes into each product. */
  readonly input: readonly (readonly number[])[];
  /** G: what of the 3 taps goes into each product. */
  readonly kernel: readonly (readonly number[])[];
  /** The points p for which products stand in pairs ±p; Aᵀ holds their powers. The first product is point 0, the last infinity. */
  readonly points: readonly number[];
}

const two: Filtering = {
  tile: 2,
  input: [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, -1, 0, 1],
  ],
  kernel: [
    [1, 0, 0],
    [1 / 2, 1 / 2, 1 / 2],
    [1 / 2, -1 / 2, 1 / 2],
    [0, 0, 1],
  ],
  points: [1],
};

const four: Filtering = {
  tile: 4,
  input: [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ],
  kernel: [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ],
  points: [1, 2],
};

/** The filtering that divides images of so many rows, the one with the fewest products first. */
export function filteringFor(rows: number): Filtering | undefined {
  return [four, two].find(({ tile }) => rows % tile === 0);
}

/** A 3 × 3 convolution of blocked images [n, inputs, height, width] with a border of zeros one pixel wide. */
export interface SquareConv extends KernelUse {
  readonly n: number;
  readonly height: number;
  readonly width: number;
}

/** The blocked result of a 3 × 3 convolution: minimal filtering down the rows, a plain sum over the three columns. */
export function winogradConv(
  emit: Emitter,
  { image, w, bias }: { readonly image: string; readonly w: string; readonly bias?: string | undefined },
  conv: SquareConv,
  filtering: Filtering,
): string {
  const kernels = transformKernel(emit, w, conv, filtering);
  const [inputs, outputs] = conv.backward ? [conv.outputs, conv.inputs] : [conv.inputs, conv.outputs];
  const product = (j: number, addends = {}): string => {
    const tiles = transformInput(emit, image, { channels: inputs, row: j }, filtering);
    return blockedConv(emit, [tiles, at(kernels, j)], { kernel: [1, 3], padding: [0, 1, 0, 1] }, addends);
  };
  const last = filtering.tile + 1;
  const pairs = filtering.points.map((point, i) => {
    const [plus, minus] = [product(2 * i + 1), product(2 * i + 2)];
    return { point, even: emit.node("Add", [plus, minus]), odd: emit.node("Sub", [plus, minus]) };
  });
  const lines = Array.from({ length: filtering.tile }, (_, power) => {
    const ends = power === 0 || power === last - 2;
    const sum = sumOfPairs(emit, pairs, { power, channels: outputs, bias: ends ? undefined : bias });
    return ends ? product(power === 0 ? 0 : last, { bias, sum }) : sum;
  });
  return interleave(emit, lines, { ...conv, outputs });
}

/** (G·g) of every kernel column, as blocked kernels of 1 × 3. */
function transformKernel(emit: Emitter, w: string, conv: KernelUse, { kernel }: Filtering): string[] {
  const blocks = kernelBlocks(emit, w, conv);
  const matrix = emit.constant(
    "float32",
    [3 * kernel.length, 9],
    Float64Array.from(kernelMatrix(kernel, conv.backward)),
  );
  const product = emit.node("MatMul", [matrix, blocks]);
  const parts = emit.nodes("Split", [product, emit.ints(kernel.map(() => 3))], kernel.length, { axis: { int: 1 } });
  const [outputs, inputs] = conv.backward ? [conv.inputs, conv.outputs] : [conv.outputs, conv.inputs];
  return parts.map((part) => reshaped(emit, part, [outputs, inputs, 1, 3]));
}

/** G on the 3 rows of each of 3 columns, [3·(m + 2), 9]; backward on the kernel turned by half a turn. */
function kernelMatrix(kernel: Filtering["kernel"], backward: boolean): number[] {
  const turned = (i: number): number => (backward ? 2 - i : i);
  return kernel.flatMap((factors) =>
    [0, 1, 2].flatMap((column) =>
      [0, 1, 2].flatMap((row) => [0, 1, 2].map((tap) => (tap === turned(column) ? (factors[turned(row)] ?? 0) : 0))),
    ),
  );
}

/** Row `row` of Bᵀ·d for every tile, by a convolution of each channel with itself alone. */
function transformInput(
  emit: Emitter,
  image: string,
  { channels, row }: { readonly channels: number; readonly row: number },
  { tile, input }: Filtering,
): string {
  const factors = at(input, row);
  const used = factors.flatMap((factor, i) => (factor === 0 ? [] : [i]));
  const [first, end] = [at(used, 0), at(used, used.length - 1)];
  const spacing = used.every((i) => (i - first) % 2 === 0) ? 2 : 1;
  const taps = factors.filter((_, i) => i >= first && i <= end && (i - first) % spacing === 0);
  // A tile's first input lies one row above its first result.
  const padding = [Math.max(0, 1 - first), 0, Math.max(0, end - tile), 0];
  const { channelBlock: block } = emit;
  const blocks = taps.flatMap((tap) => Array.from({ length: block }, () => tap));
  const kernel = Float64Array.from({ length: channels * taps.length }, (_, i) => blocks[i % blocks.length] ?? 0);
  return blockedConv(emit, [image, emit.constant("float32", [channels, 1, taps.length, 1], kernel)], {
    kernel: [taps.length, 1],
    padding,
    strides: [tile, 1],
    dilations: [spacing, 1],
    groups: channels,
  });
}

interface Pair {
  readonly point: number;
  readonly even: string;
  readonly odd: string;
}

/** Σ p^power of the products at ±p: their sums for even powers, their differences for odd ones. */
function sumOfPairs(
  emit: Emitter,
  pairs: readonly Pair[],
  { power, channels, bias }: { readonly power: number; readonly channels: number; readonly bias?: string | undefined },
): string {
  const [first, second] = pairs.map((pair) => (power % 2 === 0 ? pair.even : pair.odd)) as [string, string | undefined];
  const factor = (pairs[1]?.point ?? 0) ** power;
  if (second === undefined) return first;
  if (factor === 1) return emit.node("Add", [first, second]);
  const scale = emit.constant("float32", [channels, 1, 1, 1], new Float64Array(channels).fill(factor));
  return blockedConv(emit, [second, scale], { kernel: [1, 1], groups: channels }, { bias, sum: first });
}

/** Line i of every tile from `lines[i]`, [n, outputs, height/m, width] each. */
function interleave(
  emit: Emitter,
  lines: readonly string[],
  { n, outputs, height, width }: Pick<SquareConv, "n" | "outputs" | "height" | "width">,
): string {
  const { channelBlock: block } = emit;
  const apart = [n, outputs / block, height / lines.length, 1, width * block];
  const joined = emit.node(
    "Concat",
    lines.map((line) => reshaped(emit, line, apart)),
    { axis: { int: 3 } },
  );
  return reshaped(emit, joined, [n, outputs, height, width]);
}
