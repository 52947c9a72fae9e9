import { edmSigma } from "../../diffusion/noise-level.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { linspace } from "../../diffusion/schedules/range.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { roundHalfEven } from "../../math/round-half-even.ts";
import type { SchedulerValues } from "./scheduler-keys.ts";

/** What the solvers of diffusers take for ᾱ_T where it is 0. */
const LEAST_SIGNAL = 2 ** -24;
const RHO = 7;

/** σ of each step as the classes that work with σ have it: finite where ᾱ_T = 0. */
export function sigmasOf(schedule: NoiseSchedule): Float64Array {
  return schedule.betas.map((_, step) => {
    const sigma = edmSigma(schedule, step);
    return sigma === Infinity ? Math.sqrt(1 / LEAST_SIGNAL - 1) : sigma;
  });
}

/** Which curve of noise levels a file asks for, instead of levels of steps. */
export type Curve = "karras" | "even";

/** Whether a file asks for a curve of noise levels. */
export function curveOf(values: SchedulerValues): Curve | undefined {
  if (values.use_karras_sigmas) return "karras";
  return values.use_lu_lambdas ? "even" : undefined;
}

/**
 * N noise levels along a curve between two, the noisiest first: of Karras et al. 2022, eq. 5 (arXiv 2206.00364), or in equal ratios.
 */
export function curveSigmas(curve: Curve, count: number, lowest: number, highest: number): number[] {
  const [to, from] =
    curve === "karras"
      ? [(s: number): number => s ** (1 / RHO), (s: number): number => s ** RHO]
      : [Math.log, Math.exp];
  return Array.from(linspace(to(highest), to(lowest), count), from);
}

/** The steps at which diffusers asks the network for levels between those of its steps: interpolated in log σ, rounded. */
export function timestepsAt(table: Float64Array, sigmas: readonly number[]): number[] {
  return sigmas.map((sigma) => roundHalfEven(stepBetween(table, sigma)));
}

function stepBetween(table: Float64Array, sigma: number): number {
  const above = table.findIndex((level) => level > sigma);
  const low = Math.min(Math.max(0, (above === -1 ? table.length : above) - 1), table.length - 2);
  const [floor, ceiling] = [Math.log(at(table, low)), Math.log(at(table, low + 1))];
  return low + Math.min(1, Math.max(0, (Math.log(sigma) - floor) / (ceiling - floor)));
}

/**
 * Throws unless levels fall, which they do not where two of the last steps are visited and ᾱ_T = 0 is replaced by more than the ᾱ
 * before it.
 */
export function checkFalling(sigmas: readonly number[]): void {
  if (sigmas.every((sigma, i) => i === 0 || sigma < at(sigmas, i - 1))) return;
  throw new UnnoiseError(
    "usage",
    "rescale_betas_zero_snr: with so many steps the noise levels of diffusers do not fall at the start; use fewer steps",
  );
}
