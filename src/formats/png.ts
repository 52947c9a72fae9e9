import { encode } from "fast-png";
import { checkImage, type RgbaImage } from "./image.ts";

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
