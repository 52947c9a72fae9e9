import { closeSync, openSync, readSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { ioError } from "../formats/io-error.ts";
import { UnnoiseError } from "../math/error.ts";
import { imageDataset, memoryImages, type ImageDataset, type ImageFacts } from "./images.ts";

/*
 * A file of decoded images: mark · levels [count, channels, height, width] · labels int32 [count] (if any) · CRC-32 of each image
 * uint32 [count] · facts as JSON · length and CRC-32 of the JSON · mark. Facts stand at the end, as they are known last.
 */
const MARK = new TextEncoder().encode("UNNIMG01");
const END_BYTES = 8 + MARK.length;
const LONGEST_FACTS = 2 ** 26;

/** What is kept of a set besides its pixels. */
interface CachedFacts {
  readonly name: string;
  readonly shape: [channels: number, height: number, width: number];
  readonly count: number;
  readonly hasLabels: boolean;
  readonly classes?: string[] | undefined;
  readonly fingerprint: string;
  /** CRC-32 of labels and sums. */
  readonly tableSum: number;
  readonly warnings: string[];
}

const extent = z.int().min(1);
const factsSchema: z.ZodType<CachedFacts> = z.strictObject({
  name: z.string(),
  shape: z.tuple([extent, extent, extent]),
  count: extent,
  hasLabels: z.boolean(),
  classes: z.array(z.string()).optional(),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  tableSum: z.int(),
  warnings: z.array(z.string()),
});

const bytesOf = (array: Int32Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Where the parts of the file stand. */
function layout({ shape, count, hasLabels }: CachedFacts): { size: number; table: number; tableBytes: number } {
  const size = shape[0] * shape[1] * shape[2];
  return { size, table: MARK.length + count * size, tableBytes: 4 * count * (hasLabels ? 2 : 1) };
}

/** Writes images one after the other, and what is known of them at the end. */
export class CacheWriter {
  readonly #handle: FileHandle;
  readonly #sums: number[] = [];
  #position = MARK.length;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async add(images: readonly Uint8Array[]): Promise<void> {
    const joined = Buffer.concat(images);
    await this.#handle.write(joined, 0, joined.length, this.#position);
    this.#position += joined.length;
    images.forEach((image) => this.#sums.push(crc32(image)));
  }

  /** Completes the file and makes it lasting. */
  async finish(facts: Omit<CachedFacts, "tableSum" | "count" | "hasLabels">, labels?: Int32Array): Promise<void> {
    const sums = bytesOf(Uint32Array.from(this.#sums));
    const table = Buffer.concat(labels ? [bytesOf(labels), sums] : [sums]);
    const all = { ...facts, count: this.#sums.length, hasLabels: labels !== undefined, tableSum: crc32(table) };
    const json = Buffer.from(JSON.stringify(all satisfies CachedFacts));
    const end = Buffer.alloc(8);
    end.writeUInt32LE(json.length);
    end.writeUInt32LE(crc32(json), 4);
    const tail = Buffer.concat([table, json, end, MARK]);
    await this.#handle.write(MARK, 0, MARK.length, 0);
    await this.#handle.write(tail, 0, tail.length, this.#position);
    await this.#handle.sync();
  }
}

/** Reads `length` bytes at `position`, or fewer at the end of the file. */
function readAt(file: number, position: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, out, done, Math.min(length - done, 2 ** 30), position + done);
    if (read === 0) return out.subarray(0, done);
    done += read;
  }
  return out;
}

function isMark(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, MARK) === 0;
}

/** The facts at the end of a file, if it is whole. */
function readFacts(file: number, fileBytes: number): CachedFacts | undefined {
  const end = readAt(file, Math.max(0, fileBytes - END_BYTES), END_BYTES);
  if (end.length !== END_BYTES || !isMark(end.subarray(8)) || !isMark(readAt(file, 0, MARK.length))) return undefined;
  const view = new DataView(end.buffer);
  const length = view.getUint32(0, true);
  if (length > Math.min(LONGEST_FACTS, fileBytes)) return undefined;
  const json = readAt(file, fileBytes - END_BYTES - length, length);
  if (crc32(json) !== view.getUint32(4, true)) return undefined;
  const { data: facts } = factsSchema.safeParse(JSON.parse(new TextDecoder().decode(json)));
  if (!facts) return undefined;
  const { table, tableBytes } = layout(facts);
  return table + tableBytes + length + END_BYTES === fileBytes ? facts : undefined;
}

/** The labels, and the sum of each image. */
interface Table {
  readonly labels: Int32Array | undefined;
  readonly sums: Uint32Array;
}

function readTable(file: number, facts: CachedFacts): Table | undefined {
  const { table, tableBytes } = layout(facts);
  const bytes = readAt(file, table, tableBytes);
  if (bytes.length !== tableBytes || crc32(bytes) !== facts.tableSum) return undefined;
  const labelBytes = facts.hasLabels ? 4 * facts.count : 0;
  return {
    labels: facts.hasLabels ? new Int32Array(bytes.buffer, 0, facts.count) : undefined,
    sums: new Uint32Array(bytes.buffer, labelBytes, facts.count),
  };
}

/** All levels, or nothing when an image does not fit its sum. */
function readLevels(file: number, facts: CachedFacts, sums: Uint32Array): Uint8Array | undefined {
  const { size } = layout(facts);
  const levels = readAt(file, MARK.length, facts.count * size);
  const isWhole = sums.every((sum, row) => crc32(levels.subarray(row * size, (row + 1) * size)) === sum);
  return isWhole ? levels : undefined;
}

/** Images that stay on the disk; each is checked when it is read. */
function diskImages(file: number, path: string, facts: CachedFacts, sums: Uint32Array, all: ImageFacts): ImageDataset {
  const { size } = layout(facts);
  return imageDataset(all, (row) => {
    try {
      const levels = readAt(file, MARK.length + row * size, size);
      if (levels.length === size && crc32(levels) === sums[row]) return levels;
    } catch (cause) {
      throw ioError("read", path, cause);
    }
    throw new UnnoiseError(
      "format",
      `${path}: image ${row + 1} of the cache is damaged; delete the file, so that it is made anew`,
    );
  });
}

function openWhole(file: number, fileBytes: number, path: string, memory: number): OpenedCache | undefined {
  const facts = readFacts(file, fileBytes);
  const table = facts && readTable(file, facts);
  if (!table) return undefined;
  const { name, shape, count, classes, fingerprint, warnings } = facts;
  const { labels, sums } = table;
  const all: ImageFacts = { name, shape, count, fingerprint, ...(labels && { labels }), ...(classes && { classes }) };
  if (count * layout(facts).size > memory) {
    return { dataset: diskImages(file, path, facts, sums, all), warnings, stays: true };
  }
  const levels = readLevels(file, facts, sums);
  return levels && { dataset: memoryImages(all, levels), warnings, stays: false };
}

/** A data set from a cache. */
interface OpenedCache {
  readonly dataset: ImageDataset;
  /** What was said when it was made. */
  readonly warnings: readonly string[];
  /** Whether the file must stay open. */
  readonly stays: boolean;
}

async function fileSizeOf(path: string): Promise<number | undefined> {
  const handle = await open(path, "r").catch(() => undefined);
  if (!handle) return undefined;
  return (await handle.stat().finally(() => handle.close())).size;
}

/**
 * Opens a file of decoded images.
 * @param memory most bytes of pixels that are held in memory; larger sets are read from the disk image by image
 * @returns nothing where there is no such file, or a damaged one
 */
export async function openCache(path: string, memory: number): Promise<OpenedCache | undefined> {
  const fileBytes = await fileSizeOf(path);
  if (fileBytes === undefined) return undefined;
  const file = openSync(path, "r");
  let opened: OpenedCache | undefined;
  try {
    opened = openWhole(file, fileBytes, path, memory);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw ioError("read", path, cause);
  } finally {
    if (opened?.stays !== true) closeSync(file);
  }
  return opened;
}
