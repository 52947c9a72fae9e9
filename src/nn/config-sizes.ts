import { z } from "zod";

/**
 * Numbers in a network's configuration decide how much is built before anything is checked against the weights: each has a maximum
 * beyond any network that one machine runs, so that a damaged or hostile file ends in words.
 */
const whole = z.int().min(1);

/** Blocks one after another: of a network without levels, or at each level. */
export const blocks: z.ZodInt = whole.max(1000);
export const blocksOfLevel: z.ZodInt = whole.max(64);
/** Levels of halved images; the image would have to be 2^16 pixels wide. */
export const MOST_LEVELS = 16;
/** Channels, features, heads, groups: what a single weight's extent is made of. */
export const features: z.ZodInt = whole.max(65_536);
/** Pixels of a side. */
export const side: z.ZodInt = whole.max(16_384);
/** Side of a kernel or patch. */
export const kernel: z.ZodInt = whole.max(1024);
/** Rows of a table of classes or steps. */
export const rows: z.ZodInt = whole.max(1_000_000);
