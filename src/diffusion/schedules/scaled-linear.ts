import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { betaRange, linspace, type BetaRangeOptions } from "./range.ts";

/**
 * Betas whose square roots go in equal steps: √β_t = √β_1 + (t − 1)/(T − 1) · (√β_T − √β_1). "scaled_linear" of latent diffusion
 * (Rombach et al. 2022, arXiv 2112.10752, there 8.5e-4…0.012) and "quad" of Ho et al. 2020's code are this one formula.
 * @param options T, β_1 (default 1e-4), β_T (default 0.02)
 * @throws UnnoiseError `usage` for a number out of range, or a product of alphas that vanishes in float64
 */
export function scaledLinearSchedule(options: BetaRangeOptions = {}): NoiseSchedule {
  const { timesteps, betaStart, betaEnd } = betaRange(options);
  return scheduleFromBetas(linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), timesteps).map((root) => root ** 2));
}

/**
 * The alias of `scaledLinearSchedule` in Ho et al. 2020's code ("quad"): betas that grow as the square of t.
 * @throws UnnoiseError `usage` as `scaledLinearSchedule`
 */
export function quadraticSchedule(options: BetaRangeOptions = {}): NoiseSchedule {
  return scaledLinearSchedule(options);
}
