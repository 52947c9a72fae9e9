import { UnnoiseError } from "../math/error.ts";
import type { Shape } from "../tensor/tensor.ts";

/** One number for both sides of an image, or [height, width]. */
export type SampleSize = number | readonly [number, number];

/** [height, width] of a size. */
export function sidesOf(size: SampleSize): readonly [number, number] {
  return typeof size === "number" ? [size, size] : size;
}

/**
 * Checks that a network takes images of a shape.
 * @param shape [C, H, W]
 * @param multiple what both sides must be multiples of
 * @throws UnnoiseError `graph` for another number of channels, or sides that are no such multiples
 */
export function checkImage(network: string, [channels, ...sides]: Shape, inputs: number, multiple: number): void {
  if (channels === inputs && sides.length === 2 && sides.every((extent) => extent % multiple === 0)) return;
  const expected = `${inputs} channels with height and width multiples of ${multiple}`;
  throw new UnnoiseError("graph", `${network}: expected images of ${expected}, got ${[channels, ...sides].join("×")}`);
}
