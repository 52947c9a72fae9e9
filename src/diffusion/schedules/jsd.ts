import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { checkTimesteps } from "./range.ts";

/**
 * β_t = 1/(T − t + 1), so that each step erases the same part of the data's variance: ᾱ_t = 1 − t/T (Sohl-Dickstein et al. 2015,
 * section 2.4.1, arXiv 1503.03585; "jsd" of Ho et al. 2020's code). Ends in β_T = 1: zero terminal SNR.
 * @throws UnnoiseError `usage` when T is no integer in 1…1,000,000
 */
export function jsdSchedule({ timesteps = 1000 }: { readonly timesteps?: number } = {}): NoiseSchedule {
  checkTimesteps(timesteps);
  return scheduleFromBetas(Float64Array.from({ length: timesteps }, (_, step) => 1 / (timesteps - step)));
}
