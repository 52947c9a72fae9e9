import { UnnoiseError } from "../math/error.ts";

/** A picture: `data` holds width × height pixels of red, green, blue, opacity (0…255), rows from the top. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

const LARGEST_SIDE = 65_535;

function isSide(extent: number): boolean {
  return Number.isInteger(extent) && extent >= 1 && extent <= LARGEST_SIDE;
}

/**
 * Checks that an image has sides in 1…65,535 and four bytes for each pixel.
 * @throws UnnoiseError `data` otherwise
 */
export function checkImage({ width, height, data }: RgbaImage): void {
  checkPixels(width, height, 4, data.length);
}

/**
 * Checks that an image has sides in 1…65,535 and one byte for each channel of each pixel.
 * @throws UnnoiseError `data` otherwise
 */
export function checkPlainImage({ width, height, channels, data }: PlainImage): void {
  checkPixels(width, height, channels, data.length);
}

function checkPixels(width: number, height: number, channels: number, bytes: number): void {
  if (!isSide(width) || !isSide(height)) {
    throw new UnnoiseError(
      "data",
      `image: expected sides that are integers in 1…${LARGEST_SIDE}, got ${width} × ${height}`,
    );
  }
  const needed = channels * width * height;
  if (bytes !== needed) {
    throw new UnnoiseError("data", `image of ${width} × ${height} needs ${needed} bytes, got ${bytes}`);
  }
}

/** A picture of 8 or 16 bits a channel: red, green, blue, opacity of each pixel in 0…`largest`, rows from the top. */
export interface DeepImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array;
  /** What stands for full colour and opacity. */
  readonly largest: 255 | 65_535;
}

/** A picture of 8 bits a channel without opacity: `data` holds grey levels, or red, green and blue of each pixel, rows from the top. */
export interface PlainImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}
