import type { DeepImage } from "../formats/image.ts";
import { UnnoiseError, at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { scatter, scatterIn, type DrawOptions, type Point } from "./scatter.ts";
import { WeightedChoice } from "./weighted-choice.ts";

/** Draws points `[count, D]` of a distribution, each the same whatever the count. */
export type Generator = (options: DrawOptions) => FloatTensor;

/** Luma of red, green and blue (ITU-R BT.709). */
const LUMA = [0.2126, 0.7152, 0.0722] as const;

/**
 * A picture as a density: in proportion to darkness times opacity, the same everywhere inside a pixel. The picture lies around the
 * origin, y up, with its longer side over [−1, 1].
 * @param where what error messages call the picture
 * @throws UnnoiseError `data` when all of it is white or transparent
 */
export function imageDensity(image: DeepImage, where: string): Generator {
  const { width, height } = image;
  const { pixels, weights } = darkPixels(image);
  if (pixels.length === 0) {
    throw new UnnoiseError("data", `${where}: every pixel is white or transparent; expected a shape darker than white`);
  }
  const choice = new WeightedChoice(weights);
  const side = 2 / Math.max(width, height);
  const place = ([which = 0, u = 0, v = 0]: Float64Array): Point => {
    const pixel = at(pixels, choice.at(which));
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    return [(column + u - width / 2) * side, (height / 2 - row - v) * side];
  };
  return (options) => scatter({ ...options, noise: 0 }, 3, place);
}

/** The pixels that have any density, by number, and how much. */
function darkPixels(image: DeepImage): { pixels: Uint32Array; weights: Float64Array } {
  const count = image.width * image.height;
  const pixels = new Uint32Array(count);
  let dark = 0;
  for (let pixel = 0; pixel < count; pixel++) if (darkness(image, pixel) > 0) pixels[dark++] = pixel;
  const kept = pixels.slice(0, dark);
  return { pixels: kept, weights: Float64Array.from(kept, (pixel) => darkness(image, pixel)) };
}

function darkness({ data, largest }: DeepImage, pixel: number): number {
  let dark = 0;
  for (let channel = 0; channel < 3; channel++) {
    dark += (LUMA[channel] ?? 0) * (largest - (data[4 * pixel + channel] ?? 0));
  }
  return (dark / largest) * ((data[4 * pixel + 3] ?? 0) / largest);
}

/** Lines drawn by hand, each a list of points that straight pieces join. */
export type Strokes = readonly (readonly Point[])[];

/**
 * Lines as a density: the same everywhere along them, blurred by a Gaussian.
 * @param spread its standard deviation, ≥ 0, in units of the points
 * @param where what error messages call the lines
 * @throws UnnoiseError `data` when they have no length
 */
export function strokeDensity(strokes: Strokes, spread: number, where: string): Generator {
  const pieces = strokes.flatMap((stroke) => stroke.slice(1).map((end, i) => [at(stroke, i), end] as const));
  const lengths = Float64Array.from(pieces, ([[a, b], [c, d]]) => Math.hypot(c - a, d - b));
  if (!lengths.some((length) => length > 0)) {
    throw new UnnoiseError("data", `${where}: the strokes have no length; expected lines of different points`);
  }
  const choice = new WeightedChoice(lengths);
  const place = ([which = 0, u = 0]: Float64Array): Point => {
    const [[a, b], [c, d]] = at(pieces, choice.at(which));
    return [a + u * (c - a), b + u * (d - b)];
  };
  return (options) => scatter({ ...options, noise: spread }, 2, place);
}

/**
 * Points as a density: a Gaussian around each, all equally likely.
 * @param rows points, all of `columns` coordinates
 * @param spread standard deviation of each coordinate, > 0
 */
export function pointDensity(rows: readonly (readonly number[])[], columns: number, spread: number): Generator {
  const place = ([which = 0]: Float64Array): readonly number[] => at(rows, Math.floor(which * rows.length));
  return (options) => scatterIn(columns, { ...options, noise: spread }, 1, place);
}
