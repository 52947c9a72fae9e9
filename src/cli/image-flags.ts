import { UnnoiseError } from "../math/error.ts";
import { flagOf } from "../math/text.ts";

/** Flags of `unnoise sample` that only images have. */
export interface ImageSampleFlags {
  readonly class?: string;
  readonly guidance?: number;
  readonly inpaint?: string;
  readonly mask?: string;
  readonly resamples?: number;
  readonly jump?: number;
  readonly interpolate?: number;
  readonly show?: "xt" | "x0";
}

const names: readonly (keyof ImageSampleFlags)[] = [
  "class",
  "guidance",
  "inpaint",
  "mask",
  "resamples",
  "jump",
  "interpolate",
  "show",
];

/**
 * Checks that flags for images were not given for points.
 * @throws UnnoiseError `usage` that names one
 */
export function refuseImageFlags(flags: ImageSampleFlags): void {
  const extra = names.find((name) => flags[name] !== undefined);
  if (extra === undefined) return;
  throw new UnnoiseError("usage", `${flagOf(extra)}: only runs on images have it; leave it out`);
}

/** Flags that need another one. */
const needs = {
  mask: "inpaint",
  resamples: "inpaint",
  jump: "inpaint",
  guidance: "class",
} as const satisfies Partial<Record<keyof ImageSampleFlags, keyof ImageSampleFlags>>;

/**
 * Checks that flags for images go together.
 * @throws UnnoiseError `usage` for a flag without the one that it belongs to, or two that exclude each other
 */
export function checkImageFlags(flags: ImageSampleFlags, format: string): void {
  for (const [name, other] of Object.entries(needs) as [keyof typeof needs, (typeof needs)[keyof typeof needs]][]) {
    if (flags[name] === undefined || flags[other] !== undefined) continue;
    throw new UnnoiseError("usage", `${flagOf(name)}: it belongs to ${flagOf(other)}, which is missing`);
  }
  if (flags.inpaint !== undefined && flags.interpolate !== undefined) {
    throw new UnnoiseError("usage", "--inpaint and --interpolate: expected one of them, got both");
  }
  if (flags.show !== undefined && format !== "gif") {
    throw new UnnoiseError("usage", "--show: only a .gif shows the process; leave it out");
  }
}
