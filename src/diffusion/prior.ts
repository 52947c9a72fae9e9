import { alphaCumprodAt, type NoiseSchedule } from "./schedule.ts";

/** The largest L_T, in bits per dimension, at which x_T still counts as pure noise. */
const MAX_PRIOR_BITS = 0.01;
/** ᾱ_T of the linear schedule of Ho et al. 2020 with T = 1000: what the advice aims at. */
const TARGET_SIGNAL = 4e-5;

/**
 * What x_T still tells about the data: L_T = E KL(q(x_T|x_0) ‖ N(0, I)) = ½ (ᾱ_T (m − 1) − log(1 − ᾱ_T)) per dimension
 * (Ho et al. 2020, eq. 5, arXiv 2006.11239), where m = E x_0².
 * @param secondMoment m, mean square of the data; 1 for standardised data
 * @returns bits per dimension, ≥ 0
 */
export function priorKl(schedule: NoiseSchedule, secondMoment = 1): number {
  const alphaCumprod = alphaCumprodAt(schedule, schedule.timesteps - 1);
  return (0.5 * (alphaCumprod * (secondMoment - 1) - Math.log1p(-alphaCumprod))) / Math.LN2;
}

/**
 * Looks for what would spoil training or sampling: x_T that is not close to N(0, I), from which sampling starts.
 * @returns one line for each finding, saying figure and remedy; empty when all is well
 */
export function lintSchedule(schedule: NoiseSchedule): string[] {
  const bits = priorKl(schedule);
  if (bits <= MAX_PRIOR_BITS) return [];
  const alphaCumprod = alphaCumprodAt(schedule, schedule.timesteps - 1);
  const factor = Math.log(TARGET_SIGNAL) / Math.log(alphaCumprod);
  const more = `about ${Math.ceil(schedule.timesteps * factor)} timesteps`;
  const larger = `betas about ${factor.toPrecision(2)} times as large`;
  const feasible = schedule.betas.every((beta) => beta * factor < 1);
  return [
    `schedule: ᾱ_T = ${alphaCumprod.toPrecision(3)} after T = ${schedule.timesteps} steps leaves ${bits.toPrecision(3)} bits ` +
      `per dimension of the data in x_T (expected at most ${MAX_PRIOR_BITS}), but sampling starts from pure noise; ` +
      `use ${feasible ? `${more} or ${larger}` : more}`,
  ];
}
