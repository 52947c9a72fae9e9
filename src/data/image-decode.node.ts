import { extname } from "node:path";
import { decodePng } from "../formats/png.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import type { Picture } from "./image-raster.ts";

/** Endings of pictures that sharp reads. */
const OTHERS = [".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif"];
/** Endings of pictures that are read. */
export const pictureEndings: readonly string[] = [".png", ...OTHERS];

/** Most pixels that are read: about 16,000 × 16,000. */
const MOST_PIXELS = 2 ** 28;

/** The part of the package sharp that is used; it is optional, so its types are not there for everyone. */
interface SharpPipeline {
  autoOrient(): SharpPipeline;
  toColourspace(space: "srgb"): SharpPipeline;
  raw(): SharpPipeline;
  toBuffer(options: {
    resolveWithObject: true;
  }): Promise<{ data: Uint8Array; info: { width: number; height: number; channels: number } }>;
}
type Sharp = (bytes: Uint8Array, options: { failOn: "error"; limitInputPixels: number }) => SharpPipeline;

let sharpModule: Promise<{ readonly default: Sharp }> | undefined;

/** Loads sharp with the first picture that needs it. */
async function loadSharp(path: string): Promise<Sharp> {
  const name: string = "sharp";
  sharpModule ??= import(name) as Promise<{ readonly default: Sharp }>;
  try {
    return (await sharpModule).default;
  } catch (cause) {
    sharpModule = undefined;
    const kind = extname(path).slice(1).toLowerCase();
    throw new UnnoiseError(
      "runtime",
      `${path}: reading ${kind} needs the package sharp; run npm install sharp, or save the pictures as PNG`,
      { cause },
    );
  }
}

async function decodeWithSharp(bytes: Uint8Array, path: string): Promise<Picture> {
  const sharp = await loadSharp(path);
  try {
    const pipeline = sharp(bytes, { failOn: "error", limitInputPixels: MOST_PIXELS });
    const { data, info } = await pipeline
      .autoOrient()
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return { width, height, channels, data: new Uint8Array(data.buffer, data.byteOffset, data.length), largest: 255 };
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ").trim();
    throw new UnnoiseError("format", `${path}: damaged picture (${reason}); save it again`, { cause });
  }
}

/**
 * Decodes a picture by the ending of its path: .png by this library, others by sharp if it is installed.
 * @throws UnnoiseError `format` or `data` for a damaged or huge picture, `runtime` without sharp where it is needed
 */
async function decodePicture(bytes: Uint8Array, path: string): Promise<Picture> {
  if (extname(path).toLowerCase() !== ".png") return decodeWithSharp(bytes, path);
  return { ...decodePng(bytes, path), channels: 4 };
}

/**
 * Reads and decodes a picture.
 * @throws UnnoiseError as `decodePicture`, and `io` when the file cannot be read
 */
export async function readPicture(path: string): Promise<Picture> {
  return decodePicture(await readFileBytes(path), path);
}
