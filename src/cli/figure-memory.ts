import { checkCountFits } from "../train/count-memory.ts";
import { machineMemory } from "../formats/machine-memory.node.ts";

/** Bytes of each value of a point in a picture, and in an animation with its frames, as measured of a million points. */
const EACH = { still: 120, moving: 500 } as const;

/**
 * Checks that so many points can be drawn as a figure, which holds all of them.
 * @param width values of a point
 * @throws UnnoiseError `usage` with the largest number that fits
 */
export function checkDrawable(count: number, width: number, kind: keyof typeof EACH, advice?: string): void {
  const held = { option: "--count", count, thing: "point", each: width * EACH[kind] };
  checkCountFits({ ...held, ...(advice !== undefined && { advice }) }, machineMemory());
}

/** For commands that write points as numbers too. */
export const NUMBERS_ADVICE = "write numbers (.csv, .npy), of which any count fits";
