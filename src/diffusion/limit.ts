import { UnnoiseError } from "../math/error.ts";
import { quantile as quantileOf } from "../math/quantile.ts";
import type { DynamicThreshold, SamplerOptions } from "./sampler.ts";

/** Changes the x̂_0 of a batch `[count·D]` in place. */
export type Limit = (x0: Float32Array, width: number) => void;

/**
 * What to do with x̂_0 before it is used.
 * @returns undefined when nothing is asked, or a range without ends
 * @throws UnnoiseError `usage` for a range that is none, a quantile outside (0, 1], or both limits at once
 */
export function limitOf({ clip, threshold }: Pick<SamplerOptions, "clip" | "threshold">): Limit | undefined {
  if (clip !== undefined && threshold !== undefined) {
    throw new UnnoiseError("usage", "clip and threshold: expected one of them, got both");
  }
  if (threshold !== undefined) return thresholding(threshold);
  const isEndless = clip !== undefined && clip[0] === -Infinity && clip[1] === Infinity;
  return clip === undefined || isEndless ? undefined : clipping(clip);
}

function clipping([low, high]: readonly [number, number]): Limit {
  if (!(low < high)) {
    throw new UnnoiseError("usage", `clip: expected [low, high] with low < high, got [${low}, ${high}]`);
  }
  return (x0) => {
    for (let i = 0; i < x0.length; i++) x0[i] = Math.min(high, Math.max(low, x0[i] as number));
  };
}

function thresholding({ quantile, max = Infinity }: DynamicThreshold): Limit {
  if (!(quantile > 0 && quantile <= 1)) {
    throw new UnnoiseError("usage", `threshold: expected a quantile in 0…1, above 0, got ${quantile}`);
  }
  if (!(max >= 1)) throw new UnnoiseError("usage", `threshold: expected max ≥ 1, got ${max}`);
  return (x0, width) => {
    for (let offset = 0; offset < x0.length; offset += width) {
      const row = x0.subarray(offset, offset + width);
      const scale = Math.min(max, Math.max(1, quantileOf(row.map(Math.abs), quantile)));
      for (let i = 0; i < width; i++) row[i] = Math.min(scale, Math.max(-scale, row[i] as number)) / scale;
    }
  };
}
