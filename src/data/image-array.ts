import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";
import type { ResolvedOptions } from "./image-options.ts";
import type { Picture } from "./image-raster.ts";

/** Images as numbers, one block of them after the other. */
export interface NumberBlocks {
  /** `[N, …]` */
  readonly shape: Shape;
  /** Kind of NumPy's type: `u` and `i` whole numbers, `f` fractions, `b` truth values. */
  readonly kind: string;
  /** The numbers of one image, row-major; they stay as they are until the next call. */
  readonly block: (index: number) => Float64Array;
}

/** Which axis of an image is which. */
interface Axes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly channelsFirst: boolean;
}

const isChannels = (extent: number): boolean => [1, 3, 4].includes(extent);

function channelsFirst([, first = 0, , last = 0]: Shape, layout: ResolvedOptions["layout"], where: string): boolean {
  if (layout) return layout === "NCHW";
  if (isChannels(first) !== isChannels(last)) return isChannels(first);
  const fault = isChannels(first)
    ? "either axis 1 or axis 3 may be the channels"
    : "no axis 1 or 3 of 1, 3 or 4 channels";
  throw new UnnoiseError("data", `${where}: ${fault}; say the layout NCHW or NHWC, or store [N, H, W]`);
}

/**
 * Finds height, width and channels in the shape of an array `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]`.
 * @throws UnnoiseError `data` for another shape, or one that is not clear
 */
export function axesOf(shape: Shape, layout: ResolvedOptions["layout"], where: string): Axes {
  if ((shape.length !== 3 && shape.length !== 4) || sizeOf(shape) === 0) {
    const expected = "expected images [N, H, W], [N, H, W, C] or [N, C, H, W]";
    throw new UnnoiseError("data", `${where}: ${expected}, got shape (${shape.join(", ")})`);
  }
  const [, a = 1, b = 1, c = 1] = shape;
  if (shape.length === 3) return { height: a, width: b, channels: 1, channelsFirst: true };
  const first = channelsFirst(shape, layout, where);
  const axes = first ? { channels: a, height: b, width: c } : { channels: c, height: a, width: b };
  if (!isChannels(axes.channels)) {
    throw new UnnoiseError(
      "data",
      `${where}: expected 1, 3 or 4 channels, got ${axes.channels}; shape (${shape.join(", ")})`,
    );
  }
  return { ...axes, channelsFirst: first };
}

/** Lowest and highest number, and whether all are whole. */
interface Extremes {
  readonly low: number;
  readonly high: number;
  readonly whole: boolean;
}

function extremesOf({ shape: [count = 0], block }: NumberBlocks, where: (index: number) => string): Extremes {
  let [low, high, whole] = [Infinity, -Infinity, true];
  for (let image = 0; image < count; image++) {
    for (const value of block(image)) {
      if (!Number.isFinite(value))
        throw new UnnoiseError("data", `${where(image)}: expected finite numbers, got ${value}`);
      low = Math.min(low, value);
      high = Math.max(high, value);
      whole &&= Number.isInteger(value);
    }
  }
  return { low, high, whole };
}

type Range = NonNullable<ResolvedOptions["range"]>;

function guessRange(kind: string, { low, high, whole }: Extremes): Range {
  if (kind === "b") return "unit";
  if (kind !== "f" || (whole && high > 1)) return "levels";
  return low < 0 ? "signed" : "unit";
}

const limits: Readonly<Record<Range, readonly [low: number, high: number]>> = {
  levels: [0, 255],
  unit: [0, 1],
  signed: [-1, 1],
};
/** How far fractions may lie outside, for rounding errors of whoever made them; they are then clamped. */
const SLACK = 1e-3;

/** What the numbers of an array mean, and what to warn of. */
export interface Meaning {
  readonly range: Range;
  readonly warnings: readonly string[];
}

/**
 * What the numbers mean: as asked, or found as `ImageOptions.range` says, from all of them.
 * @throws UnnoiseError `data` for numbers that are not finite, or outside the range
 */
export function meaningOf(
  blocks: NumberBlocks,
  range: ResolvedOptions["range"],
  path: string,
  where: (index: number) => string,
): Meaning {
  const extremes = extremesOf(blocks, where);
  const meant = range ?? guessRange(blocks.kind, extremes);
  const [low, high] = limits[meant];
  const slack = meant === "levels" ? 0 : SLACK;
  if (extremes.low < low - slack || extremes.high > high + slack) {
    throw new UnnoiseError(
      "data",
      `${path}: expected numbers in ${low}…${high} (${meant}), got ${extremes.low}…${extremes.high}; scale them to 0…255, [0, 1] or [−1, 1]`,
    );
  }
  const isDark = meant === "levels" && extremes.high <= 1;
  const dark = `${path}: no level of 0…255 is above ${extremes.high}, so all images are black; for black and white say the range unit`;
  return { range: meant, warnings: isDark ? [dark] : [] };
}

/** One image of an array as a picture. */
export function blockPicture(block: Float64Array, axes: Axes, range: Range): Picture {
  const { height, width, channels } = axes;
  const plane = height * width;
  const [low, high] = limits[range];
  const factor = 255 / (high - low);
  const data = new Float32Array(block.length);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < channels; c++) {
      const value = block[axes.channelsFirst ? c * plane + i : i * channels + c] as number;
      data[i * channels + c] = Math.min(255, Math.max(0, (value - low) * factor));
    }
  }
  return { width, height, channels, data, largest: 255 };
}
