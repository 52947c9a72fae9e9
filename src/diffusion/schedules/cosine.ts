import { UnnoiseError } from "../../math/error.ts";
import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { checkTimesteps } from "./range.ts";

/** Where Nichol and Dhariwal 2021 clip betas. */
export const COSINE_MAX_BETA = 0.999;

/** What `cosineSchedule` takes. */
export interface CosineScheduleOptions {
  /** T, an integer in 1…1,000,000; default 1000. */
  readonly timesteps?: number;
  /** s, ≥ 0: keeps the first betas from being too small; default 0.008. */
  readonly offset?: number;
  /** Largest beta, in (0, 1]; default 0.999. */
  readonly maxBeta?: number;
}

/**
 * ᾱ_t = f(t)/f(0) with f(t) = cos²((t/T + s)/(1 + s) · π/2), and β_t = min(1 − ᾱ_t/ᾱ_{t−1}, 0.999) (Nichol and Dhariwal 2021,
 * eq. 17, arXiv 2102.09672). With u_t = π/2 · (1 − t/T)/(1 + s), f(t) = sin² u_t, and the betas come from
 * sin² a − sin² b = sin(a − b) sin(a + b), which loses no digits where they are small.
 * @throws UnnoiseError `usage` for a number out of range
 */
export function cosineSchedule(options: CosineScheduleOptions = {}): NoiseSchedule {
  const { timesteps = 1000, offset = 0.008, maxBeta = COSINE_MAX_BETA } = options;
  checkTimesteps(timesteps);
  if (!(offset >= 0 && offset < Infinity))
    throw new UnnoiseError("usage", `offset: expected a number ≥ 0, got ${offset}`);
  if (!(maxBeta > 0 && maxBeta <= 1))
    throw new UnnoiseError("usage", `maxBeta: expected a number in (0, 1], got ${maxBeta}`);
  const u = (t: number): number => ((Math.PI / 2) * ((timesteps - t) / timesteps)) / (1 + offset);
  const betas = Float64Array.from({ length: timesteps }, (_, step) => {
    const [before, after] = [u(step), u(step + 1)];
    return Math.min(maxBeta, (Math.sin(before - after) * Math.sin(before + after)) / Math.sin(before) ** 2);
  });
  if (maxBeta === 1) betas[timesteps - 1] = 1;
  return scheduleFromBetas(betas);
}
