import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/**
 * KL(N(m₁, σ₁²) ‖ N(m₂, σ₂²)) = ½ (log σ₂² − log σ₁² + (σ₁² + (m₁ − m₂)²)/σ₂² − 1) of one value.
 * @param logVariance1 log σ₁²
 * @param logVariance2 log σ₂²
 * @returns nats, ≥ 0
 */
export function gaussianKl(mean1: number, logVariance1: number, mean2: number, logVariance2: number): number {
  const difference = logVariance1 - logVariance2;
  // expm1, because σ₁² is all but σ₂² at most steps.
  return 0.5 * (Math.expm1(difference) - difference + (mean1 - mean2) ** 2 * Math.exp(-logVariance2));
}

/**
 * L_T of one value: KL(q(x_T|x_0) ‖ N(0, 1)) (Ho et al. 2020, eq. 5, arXiv 2006.11239). Its mean over data of mean square m is
 * `priorKl`.
 * @param x0 the value, standardised
 * @param step the last step of the chain, in 0…T−1
 * @returns nats, ≥ 0
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function priorTerm(x0: number, schedule: NoiseSchedule, step: number = schedule.timesteps - 1): number {
  const mean = Math.sqrt(alphaCumprodAt(schedule, step)) * x0;
  return gaussianKl(mean, Math.log(noiseVarianceAt(schedule, step)), 0, 0);
}
