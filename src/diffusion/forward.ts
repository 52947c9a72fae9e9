import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { coefficientAt, combine, type StepOrSteps } from "./combine.ts";
import { alphaCumprodAt, betaAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/**
 * Noised data at any step in one go: x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε, so x_t ~ q(x_t|x_0) (Ho et al. 2020, eq. 4, arXiv
 * 2006.11239).
 * @param x0 `[B, …D]`, data
 * @param eps `[B, …D]`, standard normal
 * @param step 0…T−1, one for all rows or one for each
 * @returns x_t `[B, …D]`
 * @throws UnnoiseError `usage` when shapes or the number of steps disagree, or a step is outside the schedule
 */
export function qSample(x0: FloatTensor, eps: FloatTensor, schedule: NoiseSchedule, step: StepOrSteps): FloatTensor {
  const signal = coefficientAt(step, (t) => Math.sqrt(alphaCumprodAt(schedule, t)));
  const noise = coefficientAt(step, (t) => Math.sqrt(noiseVarianceAt(schedule, t)));
  return combine(signal, x0, noise, eps);
}

function checkOrder(step: number, previousStep: number): void {
  if (!(previousStep < step)) {
    throw new UnnoiseError("usage", `previousStep: expected a step before ${step}, got ${previousStep}`);
  }
}

/**
 * β_{t|s} = 1 − α_{t|s} = 1 − ∏_{s<k≤t} α_k, the variance of q(x_t|x_s); β_t itself for s = t − 1 (Kingma et al. 2021,
 * appendix A, arXiv 2107.00630). Summed as logarithms, so that small betas lose no digits to 1 − ᾱ_t/ᾱ_s.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2; −1 is the data
 * @throws UnnoiseError `usage` for a step outside the schedule or a pair out of order
 */
export function transitionBeta(schedule: NoiseSchedule, step: number, previousStep: number = step - 1): number {
  checkOrder(step, previousStep);
  if (previousStep === -1) return noiseVarianceAt(schedule, step);
  if (previousStep === step - 1) return betaAt(schedule, step);
  alphaCumprodAt(schedule, previousStep);
  let logAlpha = 0;
  for (let k = previousStep + 1; k <= step; k++) logAlpha += Math.log1p(-betaAt(schedule, k));
  return -Math.expm1(logAlpha);
}

/**
 * α_{t|s} = ᾱ_t/ᾱ_s, the part of x_s's variance that is left in x_t; α_t for s = t − 1.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @throws UnnoiseError `usage` as `transitionBeta`
 */
export function transitionAlpha(schedule: NoiseSchedule, step: number, previousStep: number = step - 1): number {
  checkOrder(step, previousStep);
  return alphaCumprodAt(schedule, step) / alphaCumprodAt(schedule, previousStep);
}

/**
 * The forward process from s to t: x_t = √α_{t|s} x_s + √β_{t|s} ε, so x_t ~ q(x_t|x_s); with s = t − 1 one step of the
 * chain, √(1 − β_t) x_{t−1} + √β_t ε (Ho et al. 2020, eq. 2, arXiv 2006.11239).
 * @param xPrevious x_s `[B, …D]`
 * @param eps `[B, …D]`, standard normal
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @returns x_t `[B, …D]`
 * @throws UnnoiseError `usage` when shapes disagree or steps are out of order
 */
export function forwardStep(
  xPrevious: FloatTensor,
  eps: FloatTensor,
  schedule: NoiseSchedule,
  step: number,
  previousStep: number = step - 1,
): FloatTensor {
  const alpha = transitionAlpha(schedule, step, previousStep);
  const beta = transitionBeta(schedule, step, previousStep);
  return combine(Math.sqrt(alpha), xPrevious, Math.sqrt(beta), eps);
}
