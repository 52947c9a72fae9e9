import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { betaRange, type BetaRangeOptions } from "./range.ts";

/**
 * The same beta at every step: β_t = β_T ("const" of Ho et al. 2020's code, arXiv 2006.11239).
 * @param options T; `betaEnd` is the one beta, default 0.02
 * @throws UnnoiseError `usage` for a number out of range, or a product of alphas that vanishes in float64
 */
export function constantSchedule(options: Omit<BetaRangeOptions, "betaStart"> = {}): NoiseSchedule {
  const { timesteps, betaEnd } = betaRange(options);
  return scheduleFromBetas(new Float64Array(timesteps).fill(betaEnd));
}
