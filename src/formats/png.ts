import { convertIndexedToRgb, decode, encode, type DecodedPng } from "fast-png";
import { UnnoiseError } from "../math/error.ts";
import { checkImage, checkPlainImage, type DeepImage, type PlainImage, type RgbaImage } from "./image.ts";
import { checkPackedBytes, checkPng, type CheckedPng, type PngFacts } from "./png-chunks.ts";

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

type DecodedImage = DeepImage & Pick<PngFacts, "frames" | "orientation">;

/** Most pixels that are read where the caller sets no other limit: 4096 × 4096. */
const MOST_PIXELS = 2 ** 24;

/**
 * Reads a PNG image of any kind: grey, colour or palette, with or without opacity, 1 to 16 bits a channel; of an animation the
 * picture that stands for it. Profiles of colour are not applied.
 * @param where what error messages call the source, such as the file's name
 * @returns its pixels with four channels, 16 bits where the file has as many, 8 otherwise; not turned
 * @throws UnnoiseError `format` for what is no whole PNG image, `data` for one of more than 2^24 pixels or of a kind that is not read
 */
export function decodePng(bytes: Uint8Array, where: string): DecodedImage {
  const checked = checkPng(bytes, where);
  const { width, height } = checked;
  if (width * height > MOST_PIXELS) {
    const expected = `expected at most ${MOST_PIXELS} pixels, such as 4096 × 4096`;
    throw new UnnoiseError("data", `${where}: ${expected}, got ${width} × ${height}; make the picture smaller`);
  }
  return decodeCheckedPng(checked, where);
}

/**
 * Decodes a PNG image of any size whose parts are checked, as `decodePng`.
 * @throws UnnoiseError `format` for what is no whole PNG image
 */
export function decodeCheckedPng(checked: CheckedPng, where: string): DecodedImage {
  const { frames, orientation } = checked;
  try {
    checkPackedBytes(checked, where);
    return { ...toRgba(decode(joined(checked.needed))), frames, orientation };
  } catch (cause) {
    if (cause instanceof UnnoiseError) throw cause;
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/[\s:.]+$/, "");
    throw new UnnoiseError("format", `${where}: damaged PNG image (${reason})`, { cause });
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    out.set(part, start);
    start += part.length;
  }
  return out;
}

function toRgba(image: DecodedPng): DeepImage {
  const { width, height, depth, channels, data } = image;
  if (channels === 1 && depth <= 8) {
    const palette = (image.palette ?? greys(image)).map(([r = 0, g = 0, b = 0, a = 255]) => [r, g, b, a]);
    return { width, height, data: convertIndexedToRgb({ ...image, palette }), largest: 255 };
  }
  if (channels === 4 && depth === 8 && data instanceof Uint8Array) return { width, height, data, largest: 255 };
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
