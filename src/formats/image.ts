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
  if (!isSide(width) || !isSide(height)) {
    throw new UnnoiseError(
      "data",
      `image: expected sides that are integers in 1…${LARGEST_SIDE}, got ${width} × ${height}`,
    );
  }
  if (data.length !== 4 * width * height) {
    throw new UnnoiseError(
      "data",
      `image of ${width} × ${height} needs ${4 * width * height} bytes, got ${data.length}`,
    );
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
