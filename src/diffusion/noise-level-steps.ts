import { UnnoiseError } from "../math/error.ts";
import { edmSigma, halfLogSnr, nearestStep } from "./noise-level.ts";
import { snr, type NoiseSchedule } from "./schedule.ts";
import { checkCount, distinctSteps } from "./steps.ts";

/** A noise level as a function of the step, rising with it. */
type Level = (step: number) => number;

/** The level at a part in 0…1 of the way from the lowest to the highest. */
type Curve = (low: number, high: number, part: number) => number;

/**
 * The steps nearest to N levels along a curve between those of the first and the last step. A last step with ᾱ = 0 has no finite
 * level: it comes first by itself.
 */
function stepsAtLevels(schedule: NoiseSchedule, count: number, level: Level, curve: Curve): Int32Array {
  const { timesteps } = schedule;
  checkCount(timesteps, count);
  const last = timesteps - 1;
  const pureNoise = snr(schedule, last) === 0 ? 1 : 0;
  const highest = Math.max(0, last - pureNoise);
  const inside = count - pureNoise;
  const ascending = Array.from({ length: inside }, (_, i) => {
    const part = inside === 1 ? 1 : i / (inside - 1);
    return nearestStep(level, highest, curve(level(0), level(highest), part));
  });
  return distinctSteps(timesteps, pureNoise === 1 ? [...ascending, last] : ascending);
}

/** What `karrasSteps` takes. */
export interface KarrasStepsOptions {
  /** ρ, > 0: the larger, the more of the steps have little noise; default 7. */
  readonly rho?: number;
}

/**
 * The steps whose noise levels σ = √((1 − ᾱ)/ᾱ) are nearest to σ_i = (σ_max^(1/ρ) + i/(N − 1) (σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ,
 * i = 0…N−1, between the levels of the schedule's own first and last step (Karras et al. 2022, eq. 5, arXiv 2206.00364; nearest,
 * as `round_sigma` of their networks trained at discrete steps). Levels that fall on one step move to its neighbours.
 * @param count N, in 1…T; with N = 1 the step is T−1
 * @returns N distinct steps in 0…T−1, descending; T−1 and 0 among them for N ≥ 2 (N ≥ 3 where ᾱ_T = 0)
 * @throws UnnoiseError `usage` for N outside 1…T or ρ ≤ 0
 */
export function karrasSteps(schedule: NoiseSchedule, count: number, { rho = 7 }: KarrasStepsOptions = {}): Int32Array {
  if (!(rho > 0 && rho < Infinity)) throw new UnnoiseError("usage", `rho: expected a number > 0, got ${rho}`);
  return stepsAtLevels(
    schedule,
    count,
    (step) => edmSigma(schedule, step),
    (low, high, part) => {
      const [from, to] = [low ** (1 / rho), high ** (1 / rho)];
      return (from + part * (to - from)) ** rho;
    },
  );
}

/**
 * Steps as even in λ = ½ log(ᾱ/(1 − ᾱ)) as integers allow, which is in equal ratios of σ: the levels of Song & Ermon 2019
 * (arXiv 1907.05600) and the steps of Lu et al. 2022 ("uniform logSNR", arXiv 2206.00927). Levels that fall on one step move to
 * its neighbours.
 * @param count N, in 1…T; with N = 1 the step is T−1
 * @returns N distinct steps in 0…T−1, descending; T−1 and 0 among them for N ≥ 2 (N ≥ 3 where ᾱ_T = 0)
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function logSnrSteps(schedule: NoiseSchedule, count: number): Int32Array {
  const level: Level = (step) => -halfLogSnr(schedule, step);
  return stepsAtLevels(schedule, count, level, (low, high, part) => low + part * (high - low));
}
