import type { FloatTensor } from "../tensor/tensor.ts";
import { combine } from "./combine.ts";
import { transitionAlpha, transitionBeta } from "./forward.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/** Weights of x_0 and x_t in the posterior mean. */
export interface PosteriorMeanCoefficients {
  readonly x0: number;
  readonly xt: number;
}

/**
 * Coefficients of the mean of q(x_s|x_t, x_0): √ᾱ_s β_{t|s}/(1 − ᾱ_t) for x_0 and √α_{t|s} (1 − ᾱ_s)/(1 − ᾱ_t) for x_t
 * (Ho et al. 2020, eq. 7, arXiv 2006.11239, where s = t − 1).
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2; −1 is the data, where the mean is x_0
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function posteriorMeanCoefficients(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number = step - 1,
): PosteriorMeanCoefficients {
  const alpha = transitionAlpha(schedule, step, previousStep);
  const beta = transitionBeta(schedule, step, previousStep);
  const noiseVariance = noiseVarianceAt(schedule, step);
  return {
    x0: (Math.sqrt(alphaCumprodAt(schedule, previousStep)) * beta) / noiseVariance,
    xt: (Math.sqrt(alpha) * noiseVarianceAt(schedule, previousStep)) / noiseVariance,
  };
}

/**
 * Mean μ̃ of q(x_s|x_t, x_0) (Ho et al. 2020, eq. 7, arXiv 2006.11239).
 * @param x0 `[B, …D]`, data
 * @param xt `[B, …D]`, noised data
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @returns μ̃ `[B, …D]`
 * @throws UnnoiseError `usage` when shapes disagree, or steps are outside the schedule or out of order
 */
export function posteriorMean(
  x0: FloatTensor,
  xt: FloatTensor,
  schedule: NoiseSchedule,
  step: number,
  previousStep: number = step - 1,
): FloatTensor {
  const coefficients = posteriorMeanCoefficients(schedule, step, previousStep);
  return combine(coefficients.x0, x0, coefficients.xt, xt);
}

/**
 * Variance of q(x_s|x_t, x_0): β̃ = (1 − ᾱ_s)/(1 − ᾱ_t) · β_{t|s} (Ho et al. 2020, eq. 7, arXiv 2006.11239, where
 * s = t − 1). Exactly 0 when s is the data.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function posteriorVariance(schedule: NoiseSchedule, step: number, previousStep: number = step - 1): number {
  const beta = transitionBeta(schedule, step, previousStep);
  return (noiseVarianceAt(schedule, previousStep) / noiseVarianceAt(schedule, step)) * beta;
}
