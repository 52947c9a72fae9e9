import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/**
 * What x_T still tells about the data: L_T = E KL(q(x_T|x_0) ‖ N(0, I)) = ½ (ᾱ_T (m − 1) − log(1 − ᾱ_T)) per dimension
 * (Ho et al. 2020, eq. 5, arXiv 2006.11239), where m = E x_0².
 * @param secondMoment m, mean square of the data; 1 for standardised data
 * @returns bits per dimension, ≥ 0
 */
export function priorKl(schedule: NoiseSchedule, secondMoment = 1): number {
  const last = schedule.timesteps - 1;
  const alphaCumprod = alphaCumprodAt(schedule, last);
  const logVariance = alphaCumprod < 0.5 ? Math.log1p(-alphaCumprod) : Math.log(noiseVarianceAt(schedule, last));
  return (0.5 * (alphaCumprod * (secondMoment - 1) - logVariance)) / Math.LN2;
}
