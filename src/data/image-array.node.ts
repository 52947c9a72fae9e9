import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename, extname } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { checkReadable } from "../formats/machine-memory.node.ts";
import type { NpyElement } from "../formats/npy-element.ts";
import { decodeNpy, openNpy, type NpyFile } from "../formats/npy.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { openZip, type ZippedFile } from "../formats/zip.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";
import { axesOf, blockPicture, meaningOf, type NumberBlocks } from "./image-array.ts";
import { listFiles } from "./image-files.node.ts";
import type { ResolvedOptions } from "./image-options.ts";
import type { ImageSource, ImageSources, LoadedPictures } from "./image-source.ts";

/** Keys of an archive for images and labels: of the whole, of a part to learn from, of a held-out part. */
const WHOLE = {
  images: ["images", "image", "x", "X", "data", "samples", "arr_0"],
  labels: ["labels", "label", "y", "Y", "arr_1"],
};
const TRAIN = { images: ["x_train", "train_images", "X_train"], labels: ["y_train", "train_labels"] };
const TEST = { images: ["x_test", "test_images", "X_test"], labels: ["y_test", "test_labels"] };
type Keys = typeof WHOLE;

/** Bytes in which any header of an array of numbers fits. */
const HEADER_BYTES = 2 ** 16;

/** The numbers of image `index` out of bytes that give the values of one image at a time. */
function blocksOf({ header, element }: NpyFile, bytesOf: (index: number, length: number) => Uint8Array): NumberBlocks {
  const out = new Float64Array(sizeOf(header.shape.slice(1)));
  return {
    shape: header.shape,
    kind: /[a-z]/.exec(header.descr)?.[0] ?? "",
    block: (index) => fill(out, bytesOf(index, out.length * element.bytes), element),
  };
}

function fill(out: Float64Array, bytes: Uint8Array, { read, bytes: each, littleEndian }: NpyElement): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) out[i] = read(view, i * each, littleEndian);
  return out;
}

/** Blocks of an array that is stored by columns: it is turned in memory. */
function turnedBlocks(bytes: Uint8Array, name: string, kind: string): NumberBlocks {
  checkReadable(16 * (bytes.length / openNpy(bytes, name).element.bytes), name);
  const { shape, data } = decodeNpy(bytes, name);
  const size = sizeOf(shape.slice(1));
  return { shape, kind, block: (index) => data.subarray(index * size, (index + 1) * size) };
}

/** The numbers of an array of an archive; the archive is not decompressed unless the array's header and its size agree, and fit. */
function zippedBlocks(zipped: ZippedFile, name: string): NumberBlocks {
  const file = openZipped(zipped, name);
  const { dataStart, fortranOrder } = file.header;
  checkReadable(zipped.size, name);
  const bytes = zipped.content();
  const blocks = blocksOf(file, (index, length) => bytes.subarray(dataStart + index * length).subarray(0, length));
  return fortranOrder ? turnedBlocks(bytes, name, blocks.kind) : blocks;
}

function openZipped(zipped: ZippedFile, name: string): NpyFile {
  return openNpy(zipped.start(HEADER_BYTES), name, zipped.size);
}

function readInto(file: number, out: Uint8Array, position: number, path: string): Uint8Array {
  const read = readSync(file, out, 0, out.length, position);
  if (read < out.length) throw new UnnoiseError("format", `${path}: the file became shorter while it was read`);
  return out;
}

/** A .npy file that is read image by image, however large it is. */
async function fileBlocks(path: string): Promise<NumberBlocks & { close: () => void }> {
  const file = openSync(path, "r");
  const close = (): void => closeSync(file);
  try {
    const { size } = fstatSync(file);
    const opened = openNpy(readInto(file, new Uint8Array(Math.min(size, HEADER_BYTES)), 0, path), path, size);
    const { dataStart, fortranOrder } = opened.header;
    const blocks = blocksOf(opened, (index, length) =>
      readInto(file, new Uint8Array(length), dataStart + index * length, path),
    );
    if (!fortranOrder) return { ...blocks, close };
    return { ...turnedBlocks(await readFileBytes(path), path, blocks.kind), close };
  } catch (cause) {
    close();
    throw cause;
  }
}

function checkList(shape: Shape, count: number, where: string): void {
  if (sizeOf(shape) === count && shape[0] === count) return;
  throw new UnnoiseError("data", `${where}: expected ${count} labels, got shape (${shape.join(", ")})`);
}

/** Labels as whole numbers from 0. */
function labelsOf(zipped: ZippedFile, count: number, where: string): Int32Array {
  checkList(openZipped(zipped, where).header.shape, count, where);
  const { data } = decodeNpy(zipped.content(), where);
  const wrong = data.find((label) => !Number.isInteger(label) || label < 0 || label >= MOST_CLASSES);
  if (wrong === undefined) return Int32Array.from(data);
  throw new UnnoiseError("data", `${where}: expected labels that are integers in 0…${MOST_CLASSES - 1}, got ${wrong}`);
}
const MOST_CLASSES = 100_000;

function labelled(labels: Int32Array): Pick<LoadedPictures, "labels" | "classes"> {
  const most = labels.reduce((highest, label) => Math.max(highest, label), 0);
  return { labels, classes: Array.from({ length: most + 1 }, (_, label) => String(label)) };
}

/** Pictures out of numbers. */
function picturesOf(blocks: NumberBlocks, path: string, options: ResolvedOptions, labels?: ZippedFile): LoadedPictures {
  const axes = axesOf(blocks.shape, options.layout, path);
  const count = at(blocks.shape, 0);
  const where = (index: number): string => `${path}, image ${index + 1}`;
  const { range, warnings } = meaningOf(blocks, options.range, path, where);
  return {
    count,
    ...(labels && labelled(labelsOf(labels, count, `${path}, ${labels.name}`))),
    where,
    picture: (index) => Promise.resolve(blockPicture(blocks.block(index), axes, range)),
    warnings,
  };
}

async function loadNpy(path: string, options: ResolvedOptions): Promise<LoadedPictures> {
  const blocks = await fileBlocks(path);
  try {
    return { ...picturesOf(blocks, path, options), close: blocks.close };
  } catch (cause) {
    blocks.close();
    throw ioError("read", path, cause);
  }
}

/** The arrays of an archive by name, without the ending. */
async function openNpz(path: string): Promise<ReadonlyMap<string, ZippedFile>> {
  const files = openZip(await readFileBytes(path), path).filter(({ name }) => name.endsWith(".npy"));
  return new Map(files.map((file) => [basename(file.name, ".npy"), file]));
}

const pick = (arrays: ReadonlyMap<string, ZippedFile>, keys: readonly string[]): ZippedFile | undefined =>
  keys.flatMap((key) => arrays.get(key) ?? [])[0];

/** The images by their key; a single array will do under any. */
function imagesOf(arrays: ReadonlyMap<string, ZippedFile>, keys: Keys, path: string): ZippedFile {
  const [only, ...more] = arrays.values();
  const found = pick(arrays, keys.images) ?? (more.length === 0 ? only : undefined);
  if (found) return found;
  const got = [...arrays.keys()].join(", ") || "none";
  throw new UnnoiseError(
    "data",
    `${path}: expected images under one of the keys ${keys.images.join(", ")}; its arrays are ${got}`,
  );
}

async function loadNpz(path: string, keys: Keys, options: ResolvedOptions): Promise<LoadedPictures> {
  const arrays = await openNpz(path);
  const images = imagesOf(arrays, keys, path);
  return picturesOf(zippedBlocks(images, `${path}, ${images.name}`), path, options, pick(arrays, keys.labels));
}

/** Whether an archive names a part to learn from and a held-out one. */
function hasParts(arrays: ReadonlyMap<string, ZippedFile>): boolean {
  return pick(arrays, TRAIN.images) !== undefined;
}

/**
 * Images in an array of NumPy: `.npy`, or `.npz` with images under `images`, `x`, `data` or `arr_0` and labels under `labels`, `y`
 * or `arr_1`; or parts under `x_train`, `y_train`, `x_test`, `y_test` (or `train_images`, …).
 * @throws UnnoiseError `io` or `format` when it cannot be read; loading throws `data` for other shapes and numbers out of range
 */
export async function arraySources(path: string, name: string, options: ResolvedOptions): Promise<ImageSources> {
  const files = await listFiles([path]);
  const source = (key: string, load: () => Promise<LoadedPictures>): ImageSource => ({ name, files, key, load });
  if (extname(path).toLowerCase() === ".npy") return { train: source("npy", () => loadNpy(path, options)) };
  const arrays = await openNpz(path);
  if (!hasParts(arrays)) return { train: source("npz", () => loadNpz(path, WHOLE, options)) };
  const test = pick(arrays, TEST.images) && source("npz test", () => loadNpz(path, TEST, options));
  return { train: source("npz train", () => loadNpz(path, TRAIN, options)), ...(test && { test }) };
}
