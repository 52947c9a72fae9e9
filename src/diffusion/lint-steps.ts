import { at } from "../math/error.ts";
import { short } from "../math/short.ts";
import { alphaCumprodAt, snr, type NoiseSchedule } from "./schedule.ts";

/**
 * Looks for sampling steps that do not fit the schedule: outside 0…T−1, repeated, out of order, or with a first step before T−1,
 * where x_T ~ N(0, I) does not belong.
 * @param steps as a sampler takes them: descending
 * @returns one line for each finding, saying figure and remedy; empty when all is well
 */
export function lintSteps(schedule: NoiseSchedule, steps: ArrayLike<number>): string[] {
  const last = schedule.timesteps - 1;
  const all = Array.from(steps);
  if (all.length === 0)
    return [`steps: expected at least one, got none; give at least ${last}, the last of the schedule`];
  const reachable = (step: number): boolean => Number.isInteger(step) && step >= 0 && step <= last;
  const inside = all.filter(reachable);
  const outside = all.filter((step) => !reachable(step));
  return [
    ...outsideFindings(outside, all.length, last),
    ...repeatFindings(inside),
    ...descentFindings(inside),
    ...startFindings(schedule, inside),
  ];
}

function outsideFindings(outside: readonly number[], count: number, last: number): string[] {
  if (outside.length === 0) return [];
  const listed = listOf(outside);
  return [
    `steps: ${outside.length} of ${count} cannot be reached: ${listed}; expected integers in 0…${last}, so leave them out`,
  ];
}

function repeatFindings(steps: readonly number[]): string[] {
  const distinct = new Set<number>();
  const repeats = steps.filter((step) => distinct.size === distinct.add(step).size);
  if (repeats.length === 0) return [];
  return [
    `steps: ${repeats.length} of ${steps.length} are duplicates and would change nothing: ${listOf([...new Set(repeats)])}; ` +
      `list each step once or ask for fewer`,
  ];
}

function descentFindings(steps: readonly number[]): string[] {
  const rises = steps.filter((step, i) => i > 0 && step > at(steps, i - 1));
  if (rises.length === 0) return [];
  return [
    `steps: ${rises.length} of ${steps.length} cannot be reached from the one before, first ${at(rises, 0)}: sampling goes ` +
      `down from T−1 to 0; list them in descending order`,
  ];
}

function startFindings(schedule: NoiseSchedule, steps: readonly number[]): string[] {
  const last = schedule.timesteps - 1;
  const first = steps.reduce((highest, step) => Math.max(highest, step), -1);
  if (first === -1 || first === last) return [];
  return [
    `steps: sampling starts from pure noise at step ${first}, where x_t holds data with ᾱ = ` +
      `${short(alphaCumprodAt(schedule, first))} (SNR ${short(snr(schedule, first))}); at step T−1 = ${last} it is ` +
      `${short(alphaCumprodAt(schedule, last))} (SNR ${short(snr(schedule, last))}); use trailing or linspace spacing, ` +
      `or put ${last} first`,
  ];
}

function listOf(values: readonly number[]): string {
  const shown = values.slice(0, 5).join(", ");
  return values.length > 5 ? `${shown}, …` : shown;
}
