import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { betaRange, linspace, type BetaRangeOptions } from "./range.ts";

/** Where the sigmoid starts and ends: it covers 99.5 % of its height. */
const EDGE = 6;

/**
 * Betas along a sigmoid: β_t = β_1 + (β_T − β_1)/(1 + e^(−u_t)) with u_t from −6 to 6 in equal steps (Xu et al. 2022, GeoDiff's
 * code, arXiv 2203.02923; also "sigmoid" of diffusers). The ends are 0.25 % of the range inside β_1 and β_T.
 * @param options T, β_1 (default 1e-4), β_T (default 0.02)
 * @throws UnnoiseError `usage` for a number out of range, or a product of alphas that vanishes in float64
 */
export function sigmoidSchedule(options: BetaRangeOptions = {}): NoiseSchedule {
  const { timesteps, betaStart, betaEnd } = betaRange(options);
  const betas = linspace(-EDGE, EDGE, timesteps).map((u) => betaStart + (betaEnd - betaStart) / (1 + Math.exp(-u)));
  return scheduleFromBetas(betas);
}
