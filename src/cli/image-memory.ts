import { at } from "../math/error.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";
import { checkCountFits } from "../train/count-memory.ts";
import { machineMemory } from "../formats/machine-memory.node.ts";
import { FRAMES, gridOptions } from "./image-frames.ts";
import type { ImageFormat } from "./image-output.ts";

/** Bytes of each value of an image: as it is drawn, joined, and encoded; and of each pixel of a grid, with what is made of it. */
const [VALUE_BYTES, PIXEL_BYTES] = [12, 12];

/**
 * Checks that so many images can be drawn, all of which are held until they are written.
 * @param shape [C, H, W]
 * @throws UnnoiseError `usage` with the largest number that fits
 */
export function checkImageCount(count: number, shape: Shape, format: ImageFormat): void {
  const { scale = 1 } = gridOptions(shape);
  const values = sizeOf(shape);
  const pixels = format === "png" || format === "gif" ? scale ** 2 * at(shape, 1) * at(shape, 2) : 0;
  const frames = format === "gif" ? FRAMES : 1;
  const each = VALUE_BYTES * values + frames * (values + PIXEL_BYTES * pixels);
  checkCountFits({ option: "--count", count, thing: "image", each }, machineMemory());
}
