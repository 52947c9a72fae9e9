import { resample, type Filter, type Raster } from "../data/resample.ts";
import { UnnoiseError } from "../math/error.ts";
import type { ImageShape } from "./feature-net.ts";

/** Means and deviations of ImageNet's channels for values in 0…1, which most nets trained on it expect taken out. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/** Ranges of pixel values that nets are trained with. */
export const inputRanges = ["-1..1", "0..1", "0..255", "imagenet"] as const;
export type InputRange = (typeof inputRanges)[number];

/** What a net expects of an image. */
export interface NetInput {
  /** [C, H, W] with 1 or 3 channels. */
  readonly shape: ImageShape;
  readonly range: InputRange;
  /** How pixels between pixels are found. */
  readonly filter: Filter;
}

/** A value in [−1, 1] in a range; `channel` matters to `imagenet` alone. */
function inRange(value: number, range: InputRange, channel: number): number {
  const share = (value + 1) / 2;
  switch (range) {
    case "-1..1":
      return value;
    case "0..1":
      return share;
    case "0..255":
      return 255 * share;
    case "imagenet":
      return (share - (IMAGENET.mean[channel] ?? 0)) / (IMAGENET.deviation[channel] ?? 1);
  }
}

/** Luma of ITU-R BT.601, as Pillow makes grey of colours. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** `[C, H, W]` with other channels: grey repeated, or colours weighed. */
function withChannels(pixels: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return pixels;
  const plane = pixels.length / from;
  if (from === 1) return Float32Array.from({ length: to * plane }, (_, i) => pixels[i % plane] as number);
  return Float32Array.from({ length: plane }, (_, i) =>
    LUMA.reduce((sum, weight, c) => sum + weight * (pixels[c * plane + i] as number), 0),
  );
}

/** `[C, H, W]` in another size, cut to [−1, 1] where the filter overshoots. */
function resized(
  pixels: Float32Array,
  [channels, height, width]: ImageShape,
  { shape, filter }: NetInput,
): Float32Array {
  if (height === shape[1] && width === shape[2]) return pixels;
  const [target, plane] = [shape[1] * shape[2], height * width];
  const out = new Float32Array(channels * target);
  for (let c = 0; c < channels; c++) {
    const raster: Raster = { width, height, channels: 1, data: pixels.subarray(c * plane, (c + 1) * plane) };
    const { data } = resample(
      raster,
      { left: 0, top: 0, width, height },
      { width: shape[2], height: shape[1] },
      filter,
    );
    data.forEach((value, i) => (out[c * target + i] = Math.min(1, Math.max(-1, value))));
  }
  return out;
}

/**
 * Images as a net expects them: channels, then size, then range.
 * @param images `[B, …from]` in [−1, 1]
 * @param from extents of an image, 1 or 3 channels
 * @param out `[B, …input.shape]`, its first images are written
 * @throws UnnoiseError `usage` for other channels
 */
export function prepareImages(images: Float32Array, from: ImageShape, input: NetInput, out: Float32Array): void {
  const { shape, range } = input;
  if (from[0] !== 1 && from[0] !== 3) {
    throw new UnnoiseError("usage", `feature net: expected images with 1 or 3 channels, got ${from[0]}`);
  }
  const [size, target] = [from[0] * from[1] * from[2], shape[0] * shape[1] * shape[2]];
  const plane = shape[1] * shape[2];
  for (let b = 0; b * size < images.length; b++) {
    const image = withChannels(images.subarray(b * size, (b + 1) * size), from[0], shape[0]);
    const fitting = resized(image, [shape[0], from[1], from[2]], input);
    for (let i = 0; i < target; i++) {
      out[b * target + i] = inRange(fitting[i] as number, range, Math.floor(i / plane));
    }
  }
}
