import { memoryImages, type ImageDataset } from "../data/images.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";

const SIDE = 8;
const CLASSES = ["top", "left", "middle"] as const;

function isBright(label: number, y: number, x: number): boolean {
  return [y < 3, x < 3, y > 2 && y < 6 && x > 2 && x < 6][label] ?? false;
}

/** For tests: grey 8 × 8 images of three classes, each bright in another place, with noise; each `seed` is another set. */
export function placedImages(count: number, seed: number, test?: ImageDataset, labelled = true): ImageDataset {
  const noise = new Float64Array(count * SIDE * SIDE);
  new Random(seed, "data").normals(noise, SIDE * SIDE);
  const levels = Uint8Array.from(noise, (z, i) => {
    const [image, pixel] = [Math.floor(i / (SIDE * SIDE)), i % (SIDE * SIDE)];
    const base = isBright(image % 3, Math.floor(pixel / SIDE), pixel % SIDE) ? 150 : 90;
    return Math.min(255, Math.max(0, Math.round(base + 35 * z)));
  });
  const labels = Int32Array.from({ length: count }, (_, image) => image % 3);
  const facts = { name: "places", shape: [1, SIDE, SIDE], count, fingerprint: `${at(levels, 0)}-${seed}` } as const;
  return memoryImages({ ...facts, ...(labelled && { labels, classes: CLASSES }), ...(test && { test }) }, levels);
}
