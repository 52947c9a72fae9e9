import type { ImageDataset } from "../data/images.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { eventLoopPause } from "./event-loop.ts";

/** Extents of an image. */
export type ImageShape = ImageDataset["shape"];

/** Where images come from, batch by batch: a data set, or samples. */
export type PixelSource = Pick<ImageDataset, "shape" | "count" | "gather">;

/** How often a classifier that gives features is right on images that it did not learn. */
export interface NetAccuracy {
  /** Share, 0…1. */
  readonly value: number;
  /** Images that it was measured on. */
  readonly count: number;
  readonly split: "test" | "held-out";
}

/** A network that turns images into vectors in which alike images lie close. */
export interface FeatureNet {
  /** For reports: what it is. */
  readonly name: string;
  /** SHA-256 of its file or weights, in hexadecimal digits. */
  readonly hash: string;
  /** F, features of an image. */
  readonly width: number;
  /** Images of one call. */
  readonly batchSize: number;
  /** Where it is a classifier that unnoise trained. */
  readonly accuracy?: NetAccuracy;
  /**
   * Features of a batch.
   * @param images `[B, C, H, W]` in [−1, 1], B ≤ batchSize
   * @param shape [C, H, W]
   * @returns `[B, F]`
   * @throws UnnoiseError `usage` for images that it cannot take, `runtime` when the provider fails
   */
  features(images: Float32Array, shape: ImageShape): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export interface FeatureProgress {
  readonly done: number;
  readonly total: number;
}

export interface ExtractOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FeatureProgress) => void) | undefined;
}

/**
 * Features of chosen images, one batch of pixels in memory at a time.
 * @param rows which images, R of them
 * @returns `[R, F]`
 * @throws UnnoiseError `interrupted` once `signal` is aborted; as the net and the source
 */
export async function extractFeatures(
  net: FeatureNet,
  source: PixelSource,
  rows: Int32Array,
  { signal, onProgress }: ExtractOptions = {},
): Promise<FloatTensor> {
  const size = sizeOf(source.shape);
  const features = new Float32Array(rows.length * net.width);
  const pixels = new Float32Array(Math.min(net.batchSize, rows.length) * size);
  const pause = eventLoopPause();
  for (let first = 0; first < rows.length; first += net.batchSize) {
    await pause();
    if (signal?.aborted === true) throw new UnnoiseError("interrupted", "features: interrupted between two batches");
    const chosen = rows.subarray(first, first + net.batchSize);
    const batch = pixels.subarray(0, chosen.length * size);
    source.gather(chosen, batch);
    features.set(await net.features(batch, source.shape), first * net.width);
    onProgress?.({ done: first + chosen.length, total: rows.length });
  }
  return floatTensor(features, [rows.length, net.width]);
}

/** 0, 1, …, count − 1. */
export function allRows(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row);
}

/** Half of the largest level, 255. */
const HALF = 127.5;

/**
 * Samples as a source of images. Values are cut to [−1, 1] and rounded to the 256 levels that pictures have, as the data are:
 * a score of anything else would tell samples from data by their fractions.
 * @param samples `[N, C, H, W]`
 * @throws UnnoiseError `usage` for a tensor of another rank
 */
export function sampledImages({ shape: whole, data }: FloatTensor): PixelSource {
  const [count, channels, height, width] = whole;
  if (whole.length !== 4 || !count || !channels || !height || !width) {
    throw new UnnoiseError("usage", `samples: expected images [N, C, H, W], got [${whole.join(", ")}]`);
  }
  const size = channels * height * width;
  return {
    shape: [channels, height, width],
    count,
    gather: (rows, out) => {
      rows.forEach((row, i) => {
        for (let k = 0; k < size; k++) out[i * size + k] = levelOf(data[row * size + k] as number);
      });
    },
  };
}

/** NaN stays, so that the features say where it is. */
function levelOf(value: number): number {
  return Math.round((Math.min(1, Math.max(-1, value)) + 1) * HALF) / HALF - 1;
}
