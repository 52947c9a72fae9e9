import { gatherRows } from "../data/batches.ts";
import type { ImageDataset } from "../data/images.ts";
import { at } from "../math/error.ts";
import type { FloatTensor, Shape } from "../tensor/tensor.ts";

/** What a network is trained on, ready to be put into batches. */
export interface TrainingData {
  readonly kind: "points" | "images";
  readonly count: number;
  /** Extents of one sample: [D] or [C, H, W]. */
  readonly sampleShape: Shape;
  /** Class of each sample [N], where they have one. */
  readonly labels?: Int32Array;
  /** Name of each class. */
  readonly classes?: readonly string[];
  /**
   * Copies chosen samples into a batch.
   * @param out receives [B, …D]
   * @param flips of images: 1 mirrors it left to right
   */
  gather(rows: Int32Array, out: Float32Array, flips?: Uint8Array): void;
}

/** Standardised points [N, D]. */
export function pointData(points: FloatTensor): TrainingData {
  return {
    kind: "points",
    count: at(points.shape, 0),
    sampleShape: points.shape.slice(1),
    gather: (rows, out) => gatherRows(points, rows, out),
  };
}

/** Images in [−1, 1]. */
export function imageData(images: ImageDataset): TrainingData {
  const { count, shape, labels, classes } = images;
  const named = { ...(labels && { labels }), ...(classes && { classes }) };
  const gather: TrainingData["gather"] = (rows, out, flips) => images.gather(rows, out, flips);
  return { kind: "images", count, sampleShape: shape, gather, ...named };
}
