import { convertIndexedToRgb, decode, encode, type DecodedPng } from "fast-png";
import { UnnoiseError } from "../math/error.ts";
import { checkImage, checkPlainImage, type DeepImage, type PlainImage, type RgbaImage } from "./image.ts";

/**
 * Writes an image as PNG, 8 bits a channel with opacity.
 * @returns the whole file; the same image always gives the same bytes
 * @throws UnnoiseError `data` when the image's size and data do not fit
 */
export function encodePng(image: RgbaImage): Uint8Array {
  checkImage(image);
  return encode(
    { width: image.width, height: image.height, data: image.data, channels: 4, depth: 8 },
    { zlib: { level: 6 } },
  );
}

/**
 * Writes an image without opacity as PNG, 8 bits a channel, grey or colour.
 * @returns the whole file; the same image always gives the same bytes
 * @throws UnnoiseError `data` when the image's size and data do not fit
 */
export function encodePlainPng(image: PlainImage): Uint8Array {
  checkPlainImage(image);
  const { width, height, channels, data } = image;
  return encode({ width, height, data, channels, depth: 8 }, { zlib: { level: 6 } });
}

/** Most pixels that are read: 4096 × 4096. */
const MOST_PIXELS = 2 ** 24;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Signature, length, type and content of the first chunk, which says how large the image is. */
const HEADER_BYTES = 29;

/**
 * Reads a PNG image of any kind: grey, colour or palette, with or without opacity, 1 to 16 bits a channel.
 * @param where what error messages call the source, such as the file's name
 * @returns its pixels with four channels, 16 bits where the file has as many, 8 otherwise
 * @throws UnnoiseError `format` for what is no whole PNG image, `data` for one of more than 2^24 pixels or of a kind that is not read
 */
export function decodePng(bytes: Uint8Array, where: string): DeepImage {
  checkHeader(bytes, where);
  try {
    return toRgba(decode(bytes, { checkCrc: true }));
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/[\s:.]+$/, "");
    throw new UnnoiseError("format", `${where}: damaged PNG image (${reason}); save it again`, { cause });
  }
}

function checkHeader(bytes: Uint8Array, where: string): void {
  if (bytes.length < HEADER_BYTES || SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    throw new UnnoiseError("format", `${where}: not a PNG image; save the picture as PNG, not only under its name`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  if (width * height > MOST_PIXELS) {
    const expected = `expected at most ${MOST_PIXELS} pixels, such as 4096 × 4096`;
    throw new UnnoiseError("data", `${where}: ${expected}, got ${width} × ${height}; make the picture smaller`);
  }
  const [depth, interlace] = [header.getUint8(24), header.getUint8(28)];
  if (interlace !== 0 && depth < 8) {
    throw new UnnoiseError("data", `${where}: interlaced with ${depth} bits a channel; save it without interlacing`);
  }
}

function toRgba(image: DecodedPng): DeepImage {
  const { width, height, depth, channels } = image;
  if (channels === 1 && depth <= 8) {
    const palette = (image.palette ?? greys(image)).map(([r = 0, g = 0, b = 0, a = 255]) => [r, g, b, a]);
    return { width, height, data: convertIndexedToRgb({ ...image, palette }), largest: 255 };
  }
  return { width, height, data: spread(image), largest: depth === 16 ? 65_535 : 255 };
}

/** The levels of a grey image as a palette; the one that counts as transparent, if any, has no opacity. */
function greys({ depth, transparency }: DecodedPng): number[][] {
  const last = 2 ** depth - 1;
  return Array.from({ length: last + 1 }, (_, level) => {
    const value = Math.round((255 * level) / last);
    return [value, value, value, level === transparency?.[0] ? 0 : 255];
  });
}

/** Grey, grey with opacity, colour or colour with opacity as four channels. */
function spread({ width, height, depth, channels, data, transparency }: DecodedPng): Uint8Array | Uint16Array {
  const out = depth === 16 ? new Uint16Array(4 * width * height) : new Uint8Array(4 * width * height);
  const opaque = depth === 16 ? 65_535 : 255;
  const [green, blue] = channels <= 2 ? [0, 0] : [1, 2];
  const hasOpacity = channels % 2 === 0;
  const [clearRed = -1, clearGreen = clearRed, clearBlue = clearRed] = transparency ?? [];
  for (let pixel = 0; pixel < width * height; pixel++) {
    const source = pixel * channels;
    const [r, g, b] = [data[source] as number, data[source + green] as number, data[source + blue] as number];
    out[4 * pixel] = r;
    out[4 * pixel + 1] = g;
    out[4 * pixel + 2] = b;
    const isClear = r === clearRed && g === clearGreen && b === clearBlue;
    out[4 * pixel + 3] = hasOpacity ? (data[source + channels - 1] as number) : isClear ? 0 : opaque;
  }
  return out;
}
