import { createHash } from "node:crypto";
import { UnnoiseError } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { pickImages, type ImageDataset } from "./images.ts";

function checkHoldOut({ name, count, test }: ImageDataset, fraction: number): void {
  if (test) {
    throw new UnnoiseError(
      "usage",
      `images ${name}: has a held-out part of ${test.count} images already; use that one`,
    );
  }
  if (!(fraction > 0 && fraction < 1)) {
    throw new UnnoiseError("usage", `hold out: expected a fraction between 0 and 1, got ${fraction}`);
  }
  if (count < 2) throw new UnnoiseError("data", `images ${name}: expected at least 2 images to split, got ${count}`);
}

/**
 * Splits a data set without a held-out part at random into one that has it.
 * @param fraction share of the images that are held out, in (0, 1); rounded to at least one image on either side
 * @param seed integer in 0…2^53−1: the same seed always gives the same split
 * @returns the images to learn from, with the others as `test`; both keep the order of the whole
 * @throws UnnoiseError `usage` for a fraction out of range or a set that has a held-out part, `data` for fewer than two images
 */
export function holdOut(dataset: ImageDataset, fraction: number, seed: number): ImageDataset {
  checkHoldOut(dataset, fraction);
  const { name, count, fingerprint } = dataset;
  const held = Math.min(count - 1, Math.max(1, Math.round(fraction * count)));
  const order = Int32Array.from(new Random(seed, "data").permutation(count));
  const part = (rows: Int32Array, title: string): ImageDataset => {
    const digest = createHash("sha256").update(`${fingerprint} ${title} ${held} ${seed}`).digest("hex");
    return pickImages(dataset, rows.sort(), { name, fingerprint: digest });
  };
  return { ...part(order.subarray(held), "train"), test: part(order.subarray(0, held), "held out") };
}
