import type { FloatTensor } from "../tensor/tensor.ts";
import { coefficientAt, combine, type StepOrSteps } from "./combine.ts";
import { transitionAlpha, transitionBeta } from "./forward.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/**
 * The data that a predicted noise implies: x̂_0 = (x_t − √(1 − ᾱ_t) ε)/√ᾱ_t (Ho et al. 2020, eq. 15, arXiv 2006.11239).
 * @param xt `[B, …D]`, noised data
 * @param eps `[B, …D]`, noise
 * @param step 0…T−1, one for all rows or one for each
 * @returns x̂_0 `[B, …D]`
 * @throws UnnoiseError `usage` when shapes or the number of steps disagree, or a step is outside the schedule
 */
export function predictX0FromEps(
  xt: FloatTensor,
  eps: FloatTensor,
  schedule: NoiseSchedule,
  step: StepOrSteps,
): FloatTensor {
  const ofXt = coefficientAt(step, (t) => 1 / Math.sqrt(alphaCumprodAt(schedule, t)));
  const ofEps = coefficientAt(step, (t) => -Math.sqrt(noiseVarianceAt(schedule, t) / alphaCumprodAt(schedule, t)));
  return combine(ofXt, xt, ofEps, eps);
}

/**
 * The noise that predicted data imply: ε = (x_t − √ᾱ_t x_0)/√(1 − ᾱ_t), the inverse of `predictX0FromEps`.
 * @param xt `[B, …D]`, noised data
 * @param x0 `[B, …D]`, data
 * @param step 0…T−1, one for all rows or one for each
 * @returns ε `[B, …D]`
 * @throws UnnoiseError `usage` when shapes or the number of steps disagree, or a step is outside the schedule
 */
export function predictEpsFromX0(
  xt: FloatTensor,
  x0: FloatTensor,
  schedule: NoiseSchedule,
  step: StepOrSteps,
): FloatTensor {
  const ofXt = coefficientAt(step, (t) => 1 / Math.sqrt(noiseVarianceAt(schedule, t)));
  const ofX0 = coefficientAt(step, (t) => -Math.sqrt(alphaCumprodAt(schedule, t) / noiseVarianceAt(schedule, t)));
  return combine(ofXt, xt, ofX0, x0);
}

/**
 * Mean of the reverse step that a predicted noise implies: μ_θ = (x_t − β_{t|s}/√(1 − ᾱ_t) ε_θ)/√α_{t|s} (Ho et al. 2020,
 * eq. 11, arXiv 2006.11239, where s = t − 1). Equals `posteriorMean` at x̂_0.
 * @param xt `[B, …D]`, noised data
 * @param eps ε_θ `[B, …D]`
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @returns μ_θ `[B, …D]`
 * @throws UnnoiseError `usage` when shapes disagree, or steps are outside the schedule or out of order
 */
export function meanFromEps(
  xt: FloatTensor,
  eps: FloatTensor,
  schedule: NoiseSchedule,
  step: number,
  previousStep: number = step - 1,
): FloatTensor {
  const alpha = transitionAlpha(schedule, step, previousStep);
  const beta = transitionBeta(schedule, step, previousStep);
  const ofEps = -beta / Math.sqrt(noiseVarianceAt(schedule, step));
  return combine(1 / Math.sqrt(alpha), xt, ofEps / Math.sqrt(alpha), eps);
}
