import { logSnr, snr, type NoiseSchedule } from "./schedule.ts";

/**
 * Noise level σ = √((1 − ᾱ)/ᾱ) of x̃ = x/√ᾱ, the variables of Karras et al. 2022 (arXiv 2206.00364); 0 at `step` = −1, ∞ where
 * ᾱ = 0.
 */
export function edmSigma(schedule: NoiseSchedule, step: number): number {
  return 1 / Math.sqrt(snr(schedule, step));
}

/**
 * λ = ½ log(ᾱ/(1 − ᾱ)) = −log σ, half of the log-SNR (Lu et al. 2022, arXiv 2206.00927); ∞ at `step` = −1, −∞ where ᾱ = 0.
 */
export function halfLogSnr(schedule: NoiseSchedule, step: number): number {
  return logSnr(schedule, step) / 2;
}

/**
 * The step whose σ is nearest to a noise level, the lower of two that are as near: how a network trained at discrete steps
 * takes any level (Karras et al. 2022, appendix C.3, arXiv 2206.00364).
 * @param sigma ≥ 0, in the units of `edmSigma`
 * @returns a step in 0…T−1
 */
export function stepAtSigma(schedule: NoiseSchedule, sigma: number): number {
  return nearestStep((step) => edmSigma(schedule, step), schedule.timesteps - 1, sigma);
}

/**
 * The step in 0…last whose level is nearest to a target, the lower of two that are as near.
 * @param level rises with the step
 */
export function nearestStep(level: (step: number) => number, last: number, target: number): number {
  let [low, high] = [0, last];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (level(middle) < target) low = middle + 1;
    else high = middle;
  }
  return low > 0 && target - level(low - 1) <= level(low) - target ? low - 1 : low;
}
