import { UnnoiseError, at } from "../../math/error.ts";
import { alphaCumprodAt, scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";

/**
 * Rescales a schedule so that x_T is pure noise: √ᾱ_t becomes (√ᾱ_t − √ᾱ_T) · √ᾱ_1/(√ᾱ_1 − √ᾱ_T), so ᾱ_1 stays and ᾱ_T = 0
 * (Lin et al. 2023, algorithm 1, arXiv 2305.08891). The differences d_t = √ᾱ_t − √ᾱ_T are summed from the end out of the steps
 * √ᾱ_{t−1} − √ᾱ_t = √ᾱ_{t−1} β_t/(1 + √α_t), so that the new β_t = (d_{t−1} − d_t)(d_{t−1} + d_t)/d_{t−1}² loses no digits.
 * @param schedule T ≥ 2; returned as it is when ᾱ_T = 0 already
 * @throws UnnoiseError `usage` for a schedule of one step, or one so steep that a beta before the last becomes 1
 */
export function rescaleToZeroTerminalSnr(schedule: NoiseSchedule): NoiseSchedule {
  const last = schedule.timesteps - 1;
  if (at(schedule.betas, last) === 1) return schedule;
  if (last === 0) {
    throw new UnnoiseError(
      "usage",
      "zeroTerminalSnr: expected at least 2 timesteps, of which the first keeps its ᾱ, got 1",
    );
  }
  const betas = schedule.betas.slice();
  betas[last] = 1;
  let after = 0;
  for (let step = last; step > 0; step--) {
    const beta = at(schedule.betas, step);
    const fall = (Math.sqrt(alphaCumprodAt(schedule, step - 1)) * beta) / (1 + Math.sqrt(1 - beta));
    const before = after + fall;
    if (step < last) betas[step] = (fall / before) * ((before + after) / before);
    after = before;
  }
  return scheduleFromBetas(betas);
}
