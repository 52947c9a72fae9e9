import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { readIdx } from "../formats/idx-file.node.ts";
import type { IdxArray } from "../formats/idx.ts";
import { UnnoiseError } from "../math/error.ts";
import { listFiles } from "./image-files.node.ts";
import type { ImageSource, ImageSources, LoadedPictures } from "./image-source.ts";

const IMAGES = /^(.*?)[-_]?images[-.]idx[34]-ubyte(\.gz)?$/;
const LABELS = /^(.*?)[-_]?labels[-.]idx1-ubyte(\.gz)?$/;

/** SHA-256 of the labels of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017), which tell the set whatever its folder is called. */
const FASHION_LABELS = new Set([
  "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
  "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
]);
const FASHION_CLASSES = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** Files of one part: its images, and its labels where there are any. */
interface Part {
  readonly prefix: string;
  readonly images: string;
  readonly labels: string | undefined;
}

/** Whether a file name is that of an IDX file. */
export function isIdxFile(name: string): boolean {
  return /(-ubyte|\.idx)(\.gz)?$/.test(name);
}

async function partsOf(folder: string): Promise<Part[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw ioError("read", folder, cause);
  });
  const parts = new Map<string, Part>();
  for (const name of names.sort()) {
    const prefix = IMAGES.exec(name)?.[1];
    // A plain file stands before its compressed one, which sorts behind it.
    if (prefix === undefined || parts.has(prefix)) continue;
    const labels = names.find((other) => LABELS.exec(other)?.[1] === prefix);
    parts.set(prefix, {
      prefix,
      images: join(folder, name),
      labels: labels === undefined ? undefined : join(folder, labels),
    });
  }
  return [...parts.values()];
}

function classNames(labels: IdxArray): readonly string[] {
  const digest = createHash("sha256").update(labels.data).digest("hex");
  if (FASHION_LABELS.has(digest)) return FASHION_CLASSES;
  const most = labels.data.reduce((highest, label) => Math.max(highest, label), 0);
  return Array.from({ length: most + 1 }, (_, label) => String(label));
}

function checkLabels({ shape }: IdxArray, count: number, { images, labels = "" }: Part): void {
  if (shape.length === 1 && shape[0] === count) return;
  throw new UnnoiseError(
    "data",
    `${labels}: expected ${count} labels, one for each image of ${basename(images)}, got (${shape.join(", ")})`,
  );
}

async function load(part: Part): Promise<LoadedPictures> {
  const { shape, data } = await readIdx(part.images);
  const [count = 0, height = 0, width = 0, channels = 1] = shape;
  if (shape.length < 3 || count * height * width < 1 || (channels !== 1 && channels !== 3)) {
    throw new UnnoiseError("data", `${part.images}: expected images (count, height, width), got (${shape.join(", ")})`);
  }
  const labels = part.labels === undefined ? undefined : await readIdx(part.labels);
  if (labels) checkLabels(labels, count, part);
  const size = height * width * channels;
  return {
    count,
    ...(labels && { labels: Int32Array.from(labels.data), classes: classNames(labels) }),
    where: (index) => `${part.images}, image ${index + 1}`,
    picture: (index) =>
      Promise.resolve({ width, height, channels, data: data.subarray(index * size, (index + 1) * size), largest: 255 }),
  };
}

async function sourceOf(part: Part, name: string): Promise<ImageSource> {
  const paths = part.labels === undefined ? [part.images] : [part.images, part.labels];
  return { name, files: await listFiles(paths), load: () => load(part) };
}

/** A file of images with its labels, if they lie beside it. */
async function partOf(path: string): Promise<Part> {
  const found = (await partsOf(dirname(path))).find(({ images }) => basename(images) === basename(path));
  return found ?? { prefix: "", images: path, labels: undefined };
}

const isHeldOut = ({ prefix }: Part): boolean => /(^|[-_])(t10k|test)$/.test(prefix);

/**
 * Images in IDX, as MNIST and Fashion-MNIST come: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, the same for `t10k` or
 * `test`, each with or without `.gz`.
 * @param path the folder, or one file of images, whose labels are looked for beside it
 * @throws UnnoiseError `io` when it cannot be read, `data` for a folder of several sets
 */
export async function idxSources(path: string, name: string): Promise<ImageSources> {
  if (isIdxFile(basename(path))) return { train: await sourceOf(await partOf(path), name) };
  const parts = await partsOf(path);
  const [train, ...moreTrain] = parts.filter((part) => !isHeldOut(part));
  const [test, ...moreTests] = parts.filter(isHeldOut);
  if (!train || moreTrain.length > 0 || moreTests.length > 0) {
    const found = parts.map(({ images }) => basename(images)).join(", ");
    throw new UnnoiseError(
      "data",
      `${path}: expected one set to learn from, found ${found}; give one file of images instead`,
    );
  }
  return { train: await sourceOf(train, name), ...(test && { test: await sourceOf(test, name) }) };
}

/** Whether a folder holds images in IDX. */
export async function holdsIdx(folder: string): Promise<boolean> {
  return (await partsOf(folder)).length > 0;
}
