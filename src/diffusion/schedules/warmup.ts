import { UnnoiseError } from "../../math/error.ts";
import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { betaRange, linspace, type BetaRangeOptions } from "./range.ts";

/** What `warmupSchedule` takes. */
export interface WarmupScheduleOptions extends BetaRangeOptions {
  /** Part of the steps over which betas rise, in [0, 1]; default 0.1. */
  readonly fraction?: number;
}

/**
 * Betas that rise in equal steps from β_1 to β_T over the first ⌊fraction · T⌋ steps and then stay at β_T (Ho et al. 2020's code,
 * arXiv 2006.11239: "warmup10" with fraction 0.1, "warmup50" with 0.5).
 * @throws UnnoiseError `usage` for a number out of range, or a product of alphas that vanishes in float64
 */
export function warmupSchedule(options: WarmupScheduleOptions = {}): NoiseSchedule {
  const { fraction = 0.1 } = options;
  const { timesteps, betaStart, betaEnd } = betaRange(options);
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new UnnoiseError("usage", `fraction: expected a number in 0…1, got ${fraction}`);
  }
  const betas = new Float64Array(timesteps).fill(betaEnd);
  betas.set(linspace(betaStart, betaEnd, Math.floor(timesteps * fraction)));
  return scheduleFromBetas(betas);
}
