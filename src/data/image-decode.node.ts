import { checkReadable, readableBytes } from "../formats/machine-memory.node.ts";
import { checkPng, isPng } from "../formats/png-chunks.ts";
import { decodeCheckedPng } from "../formats/png.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { turned, type Picture } from "./image-raster.ts";

/** Endings of pictures that sharp reads. */
const OTHERS = [".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif"];
/** Endings of pictures that are read. */
export const pictureEndings: readonly string[] = [".png", ...OTHERS];

/** Most pixels that are read, of every kind of picture: 8192 × 8192. */
const MOST_PIXELS = 2 ** 26;

/** The part of the package sharp that is used; it is optional, so its types are not there for everyone. */
interface SharpPipeline {
  metadata(): Promise<{ width: number; height: number; depth?: string; space?: string; pages?: number }>;
  autoOrient(): SharpPipeline;
  pipelineColourspace(space: string): SharpPipeline;
  toColourspace(space: string): SharpPipeline;
  raw(options?: { depth: "float" | "ushort" }): SharpPipeline;
  toBuffer(options: {
    resolveWithObject: true;
  }): Promise<{ data: Uint8Array; info: { width: number; height: number; channels: number } }>;
}
type Sharp = (bytes: Uint8Array, options: { failOn: "error"; limitInputPixels: number | false }) => SharpPipeline;

let sharpModule: Promise<{ readonly default: Sharp }> | undefined;

/** Loads sharp with the first picture that needs it. */
async function loadSharp(kind: string, path: string): Promise<Sharp> {
  const name: string = "sharp";
  sharpModule ??= import(name) as Promise<{ readonly default: Sharp }>;
  try {
    return (await sharpModule).default;
  } catch (cause) {
    sharpModule = undefined;
    throw new UnnoiseError(
      "runtime",
      `${path}: reading ${kind} needs the package sharp; run npm install sharp, or save the pictures as PNG`,
      { cause },
    );
  }
}

/** Bytes that pictures which are decoded together take at most, where one alone does not take more. */
const MOST_AT_ONCE = 1e9;
/** Below this a picture is not worth asking the system what is free. */
const SMALL = 2 ** 24;

/** Holds pictures back, so that large ones do not fill the memory together. */
class MemoryGate {
  #inside = 0;
  #most = MOST_AT_ONCE;
  readonly #waiting: (() => void)[] = [];

  /** @throws UnnoiseError `runtime` for a picture that alone takes more than is free */
  async pass<T>(bytes: number, path: string, work: () => Promise<T> | T): Promise<T> {
    while (this.#inside > 0 && this.#inside + bytes > this.#most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#inside === 0 && bytes > SMALL) {
      checkReadable(bytes, path);
      this.#most = Math.min(MOST_AT_ONCE, readableBytes());
    }
    this.#inside += bytes;
    try {
      return await work();
    } finally {
      this.#inside -= bytes;
      this.#waiting.splice(0).forEach((go) => go());
    }
  }
}
const gate = new MemoryGate();

function damaged(path: string, cause: unknown): UnnoiseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UnnoiseError("format", `${path}: damaged picture, or of a kind that is not read (${reason.trim()})`, {
    cause,
  });
}

/** Bytes that a pixel takes at the peak of decoding by sharp, for each byte of a sample; measured for colours. */
const SHARP_BYTES = 11;
/** How samples of other depths than 8 bits are asked for, and the bytes of one. */
const depths: Readonly<Record<string, readonly ["ushort" | "float", number]>> = {
  ushort: ["ushort", 2],
  float: ["float", 4],
  double: ["float", 4],
};

async function decodeWithSharp(bytes: Uint8Array, kind: string, path: string): Promise<Picture> {
  const sharp = await loadSharp(kind, path);
  const facts = await sharp(bytes, { failOn: "error", limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw damaged(path, cause);
    });
  checkPixels(facts, path);
  const { width: wide, height: high, pages = 1, space = "srgb", depth = "uchar" } = facts;
  // Samples of other spaces, as CMYK, have no range of their own in colours that are seen.
  const isPlain = ["b-w", "grey16", "rgb16", "srgb", "rgb", "scrgb"].includes(space);
  const [wanted, each] = (isPlain ? depths[depth] : undefined) ?? ["uchar", 1];
  return gate.pass(SHARP_BYTES * each * wide * high, path, async () => {
    try {
      const oriented = sharp(bytes, { failOn: "error", limitInputPixels: MOST_PIXELS }).autoOrient();
      const pipeline =
        wanted === "uchar"
          ? oriented.toColourspace("srgb").raw()
          : oriented.pipelineColourspace(space).toColourspace(space).raw({ depth: wanted });
      const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      const form = { width, height, channels, frames: pages };
      const buffer = data.byteOffset % each === 0 ? data.buffer : Uint8Array.from(data).buffer;
      const start = data.byteOffset % each === 0 ? data.byteOffset : 0;
      if (wanted === "float")
        return { ...form, ...fractionLevels(new Float32Array(buffer, start, data.length / 4), path) };
      if (wanted === "ushort")
        return { ...form, data: new Uint16Array(buffer, start, data.length / 2), largest: 65_535 };
      return { ...form, data: new Uint8Array(buffer, start, data.length), largest: 255 };
    } catch (cause) {
      throw cause instanceof UnnoiseError ? cause : damaged(path, cause);
    }
  });
}

/** Ranges that fractions of pictures may be meant in, as those of arrays are; the narrowest that holds all is taken. */
const RANGES = [
  [0, 1],
  [-1, 1],
  [0, 255],
  [0, 65_535],
] as const;
/** How far fractions of 1 may lie outside, for rounding errors of whoever made them; they are then clamped. */
const SLACK = 1e-3;

/** Fractions as levels, with the range that they must be meant in. */
function fractionLevels(data: Float32Array, path: string): Pick<Picture, "data" | "largest" | "meant"> {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = RANGES.find(([least, most]) => {
    const slack = most === 1 ? SLACK : 0;
    return low >= least - slack && high <= most + slack;
  });
  if (!range) {
    const expected = RANGES.map(([least, most]) => `${least}…${most}`).join(", ");
    throw new UnnoiseError("data", `${path}: samples from ${low} to ${high}; expected them in one of ${expected}`);
  }
  const [least, most] = range;
  const meant = low === 0 && high === 0 ? {} : { meant: `${least}…${most}` };
  const inside = low >= least && high <= most;
  if (inside && least === 0) return { data, largest: most, ...meant };
  return { data: data.map((value) => Math.min(most, Math.max(least, value)) - least), largest: most - least, ...meant };
}

/** @throws UnnoiseError `data` */
function checkPixels({ width, height }: { readonly width: number; readonly height: number }, path: string): void {
  if (width * height <= MOST_PIXELS) return;
  const expected = `expected at most ${MOST_PIXELS} pixels, such as 8192 × 8192`;
  throw new UnnoiseError("data", `${path}: ${expected}, got ${width} × ${height}; make the picture smaller`);
}

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));

/** What tells the kinds of pictures that sharp reads, by their first bytes. */
const kinds: Readonly<Record<string, (bytes: Uint8Array) => boolean>> = {
  JPEG: ([a, b, c]) => a === 0xff && b === 0xd8 && c === 0xff,
  GIF: (bytes) => /^GIF8[79]a/.test(ascii(bytes, 0, 6)),
  WebP: (bytes) => ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP",
  TIFF: (bytes) => /^(II[*+]\0|MM\0[*+])/.test(ascii(bytes, 0, 4)),
  AVIF: (bytes) => ascii(bytes, 4, 8) === "ftyp",
};

/**
 * Decodes a picture by its first bytes, whatever its name: PNG by this library, others by sharp if it is installed. Of several frames or
 * pages it is the first.
 * @throws UnnoiseError `format` or `data` for a damaged or huge picture, `runtime` without sharp where it is needed, or without the memory
 */
async function decodePicture(bytes: Uint8Array, path: string): Promise<Picture> {
  if (isPng(bytes)) {
    const checked = checkPng(bytes, path);
    checkPixels(checked, path);
    // Measured: decompressed in parts and whole, without filters, as four channels.
    const peak = 4 * checked.promised + 8 * checked.width * checked.height;
    const { orientation, frames, ...image } = await gate.pass(peak, path, () => decodeCheckedPng(checked, path));
    return { ...turned({ ...image, channels: 4 }, orientation), frames };
  }
  const kind = Object.entries(kinds).find(([, isKind]) => isKind(bytes))?.[0];
  if (kind !== undefined) return decodeWithSharp(bytes, kind, path);
  const start = shown(ascii(bytes, 0, 12));
  throw new UnnoiseError(
    "format",
    `${path}: no picture that is read, by its first bytes; expected PNG, ${Object.keys(kinds).join(", ")}, got ${bytes.length === 0 ? "an empty file" : start}`,
  );
}

/**
 * Reads and decodes a picture.
 * @throws UnnoiseError as `decodePicture`, and `io` when the file cannot be read
 */
export async function readPicture(path: string): Promise<Picture> {
  return decodePicture(await readFileBytes(path), path);
}
