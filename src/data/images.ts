import { UnnoiseError } from "../math/error.ts";
import { shapeText } from "../tensor/tensor.ts";

/** Images to learn from: as bytes in memory or on the disk, given as float32 in [−1, 1]. */
export interface ImageDataset {
  readonly kind: "images";
  readonly name: string;
  /** `[channels, height, width]`; 1 channel is grey, 3 are red, green and blue. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Number of images. */
  readonly count: number;
  /** Class of each image `[count]`, from 0, where they have one. */
  readonly labels?: Int32Array;
  /** Name of each class. */
  readonly classes?: readonly string[];
  /** A held-out part that the source has. */
  readonly test?: ImageDataset;
  /** SHA-256 of shape, pixels and labels in hexadecimal digits: the same for the same images, whatever they came from. */
  readonly fingerprint: string;
  /**
   * Copies images in any order.
   * @param rows numbers of B images, 0…count−1
   * @param out `[B, channels, height, width]`, receives values in [−1, 1]
   * @param flips `[B]`; 1 mirrors an image left to right
   * @throws UnnoiseError `usage` for a row that does not exist or arrays that do not fit, `io` or `format` when the disk fails
   */
  gather(rows: Int32Array, out: Float32Array, flips?: Uint8Array): void;
}

/** All of a data set but the way to its pixels. */
export type ImageFacts = Omit<ImageDataset, "kind" | "gather">;

/** Level 0…255 as a value in [−1, 1]: level/127.5 − 1. */
const VALUES = Float32Array.from({ length: 256 }, (_, level) => level / 127.5 - 1);

function checkGather(
  { count, shape, name }: ImageFacts,
  rows: Int32Array,
  out: Float32Array,
  flips?: Uint8Array,
): void {
  const expected = rows.length * shape[0] * shape[1] * shape[2];
  if (out.length !== expected || (flips !== undefined && flips.length !== rows.length)) {
    const got = `${out.length} values and ${flips?.length ?? "no"} flips`;
    throw new UnnoiseError(
      "usage",
      `images ${name}: ${rows.length} images of ${shapeText(shape)} need ${expected} values and as many flips as images, got ${got}`,
    );
  }
  const wrong = rows.find((row) => row < 0 || row >= count);
  if (wrong !== undefined) {
    throw new UnnoiseError("usage", `images ${name}: expected rows in 0…${count - 1}, got ${wrong}`);
  }
}

/** Writes levels as values; `width` is that of a row to mirror, or 1 to mirror nothing. */
function writeValues(levels: Uint8Array, out: Float32Array, start: number, width: number): void {
  for (let rowStart = 0; rowStart < levels.length; rowStart += width) {
    const last = start + rowStart + width - 1;
    for (let x = 0; x < width; x++) out[last - x] = VALUES[levels[rowStart + x] as number] as number;
  }
}

/**
 * A data set over a way to the levels of an image.
 * @param levelsOf gives the bytes `[channels, height, width]` of a row, which stay as they are until the next call
 */
export function imageDataset(facts: ImageFacts, levelsOf: (row: number) => Uint8Array): ImageDataset {
  const { shape } = facts;
  const size = shape[0] * shape[1] * shape[2];
  return {
    ...facts,
    kind: "images",
    gather: (rows, out, flips) => {
      checkGather(facts, rows, out, flips);
      for (let i = 0; i < rows.length; i++) {
        writeValues(levelsOf(rows[i] as number), out, i * size, flips?.[i] === 1 ? shape[2] : 1);
      }
    },
  };
}

/**
 * A data set whose images are in memory.
 * @param levels `[count, channels, height, width]`, 0…255; kept, not copied
 * @throws UnnoiseError `data` when levels or labels do not fit shape and count
 */
export function memoryImages(facts: ImageFacts, levels: Uint8Array): ImageDataset {
  const { name, shape, count, labels } = facts;
  const size = shape[0] * shape[1] * shape[2];
  if (levels.length !== count * size || (labels !== undefined && labels.length !== count)) {
    const got = `${levels.length} bytes and ${labels?.length ?? "no"} labels`;
    throw new UnnoiseError(
      "data",
      `images ${name}: ${count} images of ${shapeText(shape)} need ${count * size} bytes and a label each or none, got ${got}`,
    );
  }
  return imageDataset(facts, (row) => levels.subarray(row * size, (row + 1) * size));
}

/**
 * Some images of a data set as one of their own; no pixel is copied.
 * @param rows numbers of its images in the order that they shall have
 * @param fingerprint of the part
 */
export function pickImages(
  whole: ImageDataset,
  rows: Int32Array,
  { name, fingerprint }: Pick<ImageFacts, "name" | "fingerprint">,
): ImageDataset {
  const { shape, labels, classes } = whole;
  const facts: ImageFacts = {
    name,
    shape,
    count: rows.length,
    fingerprint,
    ...(labels && { labels: rows.map((row) => labels[row] as number) }),
    ...(classes && { classes }),
  };
  return {
    ...facts,
    kind: "images",
    gather: (chosen, out, flips) => {
      checkGather(facts, chosen, out, flips);
      whole.gather(
        chosen.map((row) => rows[row] as number),
        out,
        flips,
      );
    },
  };
}
