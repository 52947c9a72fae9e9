import { Unzlib } from "fflate";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { crc32 } from "./crc32.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Length, type and sum of a chunk, without its content. */
const FRAME_BYTES = 12;
const HEADER_BYTES = 13;

/** Channels and possible depths by the kind of colour that a header names. */
const colours: ReadonlyMap<number, { readonly channels: number; readonly depths: readonly number[] }> = new Map([
  [0, { channels: 1, depths: [1, 2, 4, 8, 16] }],
  [2, { channels: 3, depths: [8, 16] }],
  [3, { channels: 1, depths: [1, 2, 4, 8] }],
  [4, { channels: 2, depths: [8, 16] }],
  [6, { channels: 4, depths: [8, 16] }],
]);

/** Chunks that say what the pixels are; all others, such as profiles of colour, are left out unread. */
const NEEDED = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

/** What a PNG file says of its picture. */
export interface PngFacts {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** Pictures in the file: more than one in an animation. */
  readonly frames: number;
  /** How the picture is to be turned, 1…8 as Exif counts; 1 is not at all. */
  readonly orientation: number;
}

/** A PNG file whose chunks are sound. */
export interface CheckedPng extends PngFacts {
  /** The parts of the file that make its pixels. */
  readonly needed: readonly Uint8Array[];
  /** The compressed pixels, in parts. */
  readonly packed: readonly Uint8Array[];
  /** Bytes that the pixels decompress to. */
  readonly promised: number;
}

/** Whether bytes start as a PNG file does. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

function damaged(where: string, what: string): UnnoiseError {
  return new UnnoiseError("format", `${where}: damaged PNG image (${what})`);
}

interface Chunk {
  readonly type: string;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** The chunks of a file up to its end, each whole and with the right sum. */
function* chunksOf(bytes: Uint8Array, where: string): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = SIGNATURE.length, type = ""; type !== "IEND";) {
    if (start + FRAME_BYTES > bytes.length) throw damaged(where, "truncated");
    const length = view.getUint32(start);
    const end = start + FRAME_BYTES + length;
    type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    if (end > bytes.length) throw damaged(where, `truncated in its part ${shown(type)}`);
    if (crc32(bytes.subarray(start + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw damaged(where, `the checksum of its part ${shown(type)} is wrong`);
    }
    yield { type, content: bytes.subarray(start + 8, end - 4), whole: bytes.subarray(start, end) };
    start = end;
  }
}

/** Bytes of the rows of one pass, each with the byte of its filter. */
function passBytes(width: number, height: number, bits: number): number {
  return width === 0 ? 0 : height * (1 + Math.ceil((width * bits) / 8));
}

/** First column and row, and steps between columns and rows, of the seven passes of an interlaced picture (PNG, section 8.2). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function promisedBytes(width: number, height: number, bits: number, interlaced: boolean): number {
  if (!interlaced) return passBytes(width, height, bits);
  return ADAM7.reduce((sum, [left, top, across, down]) => {
    const [columns, rows] = [Math.ceil((width - left) / across), Math.ceil((height - top) / down)];
    return sum + passBytes(Math.max(0, columns), Math.max(0, rows), bits);
  }, 0);
}

function readHeader(content: Uint8Array, where: string): Pick<CheckedPng, "width" | "height" | "depth" | "promised"> {
  if (content.length !== HEADER_BYTES) throw damaged(where, `a header of ${content.length} bytes`);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth = 0, colour = -1, compression, filter, interlace] = content.subarray(8);
  if (width < 1 || height < 1) throw damaged(where, `${width} × ${height} pixels`);
  const { channels, depths } = colours.get(colour) ?? { channels: 0, depths: [] };
  if (!depths.includes(depth)) throw damaged(where, `${depth} bits a channel in colours of kind ${colour}`);
  if (compression !== 0 || filter !== 0 || (interlace !== 0 && interlace !== 1)) {
    throw damaged(where, "an unknown way of compression, filtering or interlacing");
  }
  if (interlace === 1 && depth < 8) {
    throw new UnnoiseError("data", `${where}: interlaced with ${depth} bits a channel; save it without interlacing`);
  }
  return { width, height, depth, promised: promisedBytes(width, height, channels * depth, interlace === 1) };
}

const ORIENTATION = 0x0112;
const ENTRY_BYTES = 12;

/** The orientation that Exif data name; 1 where they name none. */
function exifOrientation(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const little = exif[0] === 0x49;
  if (exif.length < 10) return 1;
  const list = view.getUint32(4, little);
  if (list + 2 > exif.length) return 1;
  const count = view.getUint16(list, little);
  for (let entry = list + 2, i = 0; i < count && entry + ENTRY_BYTES <= exif.length; i++, entry += ENTRY_BYTES) {
    if (view.getUint16(entry, little) !== ORIENTATION) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

function framesOf(control: Uint8Array | undefined): number {
  if (control?.length !== 8) return 1;
  return Math.max(1, new DataView(control.buffer, control.byteOffset, control.byteLength).getUint32(0));
}

/** Parts that stand at most once. */
const SINGLE = ["IHDR", "PLTE", "tRNS"];

/**
 * Checks the parts of a PNG file before any is decoded: their order, number and sums, and what the header says.
 * @param where names the file in errors
 * @throws UnnoiseError `format` for damage, `data` for a kind that is not read
 */
export function checkPng(bytes: Uint8Array, where: string): CheckedPng {
  if (!isPng(bytes)) throw new UnnoiseError("format", `${where}: not a PNG image; save the picture as PNG`);
  const found = new Map<string, Chunk>();
  const packed: Uint8Array[] = [];
  const needed: Uint8Array[] = [bytes.subarray(0, SIGNATURE.length)];
  let last = "";
  for (const chunk of chunksOf(bytes, where)) {
    const { type, content, whole } = chunk;
    const isKnown = NEEDED.includes(type);
    if ((last === "") !== (type === "IHDR")) {
      throw damaged(where, last === "" ? "it does not start with its header" : "a second header");
    }
    if (!isKnown && /^[^a-z]/.test(type)) throw damaged(where, `a part of the unknown kind ${shown(type)}`);
    if (SINGLE.includes(type) && (found.has(type) || packed.length > 0)) throw damaged(where, `${type} out of place`);
    if (type === "IDAT" && packed.length > 0 && last !== "IDAT") throw damaged(where, "its pixels in several places");
    if (type === "IDAT") packed.push(content);
    if (isKnown) needed.push(whole);
    if (!found.has(type)) found.set(type, chunk);
    last = type;
  }
  if (packed.length === 0) throw damaged(where, "no pixels");
  const contentOf = (type: string): Uint8Array | undefined => found.get(type)?.content;
  const exif = contentOf("eXIf");
  return {
    ...readHeader(contentOf("IHDR") ?? new Uint8Array(), where),
    frames: framesOf(contentOf("acTL")),
    orientation: exif ? exifOrientation(exif) : 1,
    needed,
    packed,
  };
}

/** Compressed bytes that are looked at in one go: they make 16 MB at most. */
const PIECE = 2 ** 14;

/**
 * Checks that the pixels decompress to just what the header promises; no more than that, and what one piece gives, is ever made.
 * @throws UnnoiseError `format` otherwise
 */
export function checkPackedBytes({ packed, promised }: CheckedPng, where: string): void {
  let bytes = 0;
  const inflater = new Unzlib((piece) => {
    bytes += piece.length;
  });
  const pieces = packed.flatMap((part) =>
    Array.from({ length: Math.ceil(part.length / PIECE) }, (_, i) => part.subarray(i * PIECE, (i + 1) * PIECE)),
  );
  for (const [i, piece] of pieces.entries()) {
    inflater.push(piece, i === pieces.length - 1);
    if (bytes > promised) throw damaged(where, `more pixels than its header of ${promised} bytes promises`);
  }
  if (bytes !== promised) throw damaged(where, `pixels of ${bytes} bytes where its header promises ${promised}`);
}
