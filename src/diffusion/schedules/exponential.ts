import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { betaRange, linspace, type BetaRangeOptions } from "./range.ts";

/**
 * Betas in equal ratios: β_t = β_1 (β_T/β_1)^((t − 1)/(T − 1)).
 * @param options T, β_1 (default 1e-4), β_T (default 0.05, with which 1000 steps reach ᾱ_T = 3e-4)
 * @throws UnnoiseError `usage` for a number out of range, or a product of alphas that vanishes in float64
 */
export function exponentialSchedule(options: BetaRangeOptions = {}): NoiseSchedule {
  const { timesteps, betaStart, betaEnd } = betaRange(options, { betaEnd: 0.05 });
  const growth = Math.log(betaEnd / betaStart);
  return scheduleFromBetas(
    linspace(0, 1, timesteps).map((part) => (part === 1 ? betaEnd : betaStart * Math.exp(part * growth))),
  );
}
