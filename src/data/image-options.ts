import { UnnoiseError } from "../math/error.ts";
import { folderReadings, type FolderReading } from "./folder-names.ts";
import { crops, type Crop } from "./image-raster.ts";
import { filters, type Filter } from "./resample.ts";

/** How pictures become the images of a set. */
export interface ImageOptions {
  /** Side of square images, or height and width, 1…4096; the size of the pictures by default, which must be one. */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * Where a size is given: `centre` (default) cuts the middle out in the ratio of that size, `none` refuses pictures of another
   * ratio, `stretch` distorts them.
   */
  readonly crop?: Crop;
  /** How pixels between pixels are found: `bicubic` (Catmull-Rom) by default. */
  readonly filter?: Filter;
  /** 1 for grey, 3 for colour; by default as the pictures are, by 64 from all over the set. */
  readonly channels?: 1 | 3;
  /** `fail` (default) stops at the first picture that cannot be read; `skip` leaves it out and says so. */
  readonly onBroken?: "fail" | "skip";
  /**
   * What the folders in a folder are: `classes`, or `parts`, of which those called train, test, val and the like are learned from and held
   * out; `auto` (default) goes by their names, and refuses where those can mean both.
   */
  readonly folders?: FolderReading;
  /** Order of the axes of an array of four; by default found by the extents, an axis of 1, 3 or 4 being the channels. */
  readonly layout?: "NHWC" | "NCHW";
  /**
   * What the numbers of an array mean; by default `signed` [−1, 1] for fractions of which any is negative, `unit` [0, 1] for other
   * fractions and truth values, `levels` 0…255 for whole numbers, and for fractions that are whole and above 1.
   */
  readonly range?: "levels" | "unit" | "signed";
}

/** Options with all that does not depend on the pictures decided. */
export interface ResolvedOptions {
  readonly size: readonly [height: number, width: number] | undefined;
  readonly crop: Crop;
  readonly filter: Filter;
  readonly channels: 1 | 3 | undefined;
  readonly onBroken: "fail" | "skip";
  readonly layout: "NHWC" | "NCHW" | undefined;
  readonly range: "levels" | "unit" | "signed" | undefined;
}

const LARGEST_SIDE = 4096;

function choice<T>(name: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value;
  throw new UnnoiseError("usage", `images: expected ${name} to be one of ${known.join(", ")}, got ${String(value)}`);
}

function sizeFrom(size: ImageOptions["size"]): ResolvedOptions["size"] {
  if (size === undefined) return undefined;
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (![height, width].every((side) => Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE)) {
    throw new UnnoiseError(
      "usage",
      `images: expected sides that are integers in 1…${LARGEST_SIDE}, got ${height}, ${width}`,
    );
  }
  return [height, width];
}

/**
 * How the folders in a folder are read.
 * @throws UnnoiseError `usage` for another word
 */
export function readingOf({ folders = "auto" }: ImageOptions): FolderReading {
  return choice("folders", folders, folderReadings);
}

/**
 * Checks options and fills in the defaults.
 * @throws UnnoiseError `usage` for a value out of range
 */
export function resolveImageOptions(options: ImageOptions): ResolvedOptions {
  const { channels, layout, range } = options;
  return {
    size: sizeFrom(options.size),
    crop: choice("crop", options.crop ?? "centre", crops),
    filter: choice("filter", options.filter ?? "bicubic", filters),
    channels: choice("channels", channels, [undefined, 1, 3]),
    onBroken: choice("onBroken", options.onBroken ?? "fail", ["fail", "skip"]),
    layout: choice("layout", layout, [undefined, "NHWC", "NCHW"]),
    range: choice("range", range, [undefined, "levels", "unit", "signed"]),
  };
}
