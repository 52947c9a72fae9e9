import { isPng } from "../formats/png-chunks.ts";
import { decodePng } from "../formats/png.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
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
  raw(options?: { depth: "float" }): SharpPipeline;
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
    throw new UnnoiseError(
      "runtime",
      `${path}: no PNG picture; reading others needs the package sharp; run npm install sharp, or save the pictures as PNG`,
      { cause },
    );
  }
}

/** Pixels that are decoded at a time, so that many large pictures do not fill the memory together. */
class PixelGate {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  async pass<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    while (this.#inside > 0 && this.#inside + pixels > MOST_PIXELS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#inside += pixels;
    try {
      return await work();
    } finally {
      this.#inside -= pixels;
      this.#waiting.splice(0).forEach((go) => go());
    }
  }
}
const gate = new PixelGate();

function damaged(path: string, cause: unknown): UnnoiseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UnnoiseError("format", `${path}: damaged picture, or of a kind that is not read (${reason.trim()})`, {
    cause,
  });
}

async function decodeWithSharp(bytes: Uint8Array, path: string): Promise<Picture> {
  const sharp = await loadSharp(path);
  const open = (): SharpPipeline => sharp(bytes, { failOn: "error", limitInputPixels: MOST_PIXELS });
  const facts = await sharp(bytes, { failOn: "error", limitInputPixels: 2 ** 40 })
    .metadata()
    .catch((cause: unknown) => {
      throw damaged(path, cause);
    });
  checkPixels(facts, path);
  return gate.pass(facts.width * facts.height, async () => {
    try {
      const oriented = open().autoOrient();
      const { pages = 1, space = "srgb" } = facts;
      const isFloat = facts.depth === "float" || facts.depth === "double";
      const pipeline = isFloat
        ? oriented.pipelineColourspace(space).toColourspace(space).raw({ depth: "float" })
        : oriented.toColourspace("srgb").raw();
      const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      const levels = isFloat
        ? floatLevels(new Float32Array(Uint8Array.from(data).buffer), path)
        : { data: new Uint8Array(data.buffer, data.byteOffset, data.length), largest: 255 };
      return { width, height, channels, ...levels, frames: pages };
    } catch (cause) {
      throw cause instanceof UnnoiseError ? cause : damaged(path, cause);
    }
  });
}

/** Ranges that samples of pictures have, as those of arrays. */
const RANGES = [1, 255, 65_535];

/** Samples that are no whole numbers, with the range that they must be meant in. */
function floatLevels(data: Float32Array, path: string): Pick<Picture, "data" | "largest"> {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const largest = low >= 0 ? RANGES.find((range) => high <= range) : undefined;
  if (largest !== undefined) return { data, largest };
  const expected = RANGES.map((range) => `0…${range}`).join(", ");
  throw new UnnoiseError("data", `${path}: samples from ${low} to ${high}; expected them in one of ${expected}`);
}

/** @throws UnnoiseError `data` */
function checkPixels({ width, height }: { readonly width: number; readonly height: number }, path: string): void {
  if (width * height <= MOST_PIXELS) return;
  const expected = `expected at most ${MOST_PIXELS} pixels, such as 8192 × 8192`;
  throw new UnnoiseError("data", `${path}: ${expected}, got ${width} × ${height}; make the picture smaller`);
}

/**
 * Decodes a picture by its first bytes, whatever its name: PNG by this library, others by sharp if it is installed. Of several frames or
 * pages it is the first.
 * @throws UnnoiseError `format` or `data` for a damaged or huge picture, `runtime` without sharp where it is needed
 */
async function decodePicture(bytes: Uint8Array, path: string): Promise<Picture> {
  if (!isPng(bytes)) return decodeWithSharp(bytes, path);
  const { orientation, frames, ...image } = decodePng(bytes, path, MOST_PIXELS);
  return { ...turned({ ...image, channels: 4 }, orientation), frames };
}

/**
 * Reads and decodes a picture.
 * @throws UnnoiseError as `decodePicture`, and `io` when the file cannot be read
 */
export async function readPicture(path: string): Promise<Picture> {
  return decodePicture(await readFileBytes(path), path);
}
