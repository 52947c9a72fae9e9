import { UnnoiseError, at } from "../math/error.ts";
import { betaRange, checkTimesteps, linspace, type BetaRangeOptions } from "./schedules/range.ts";

/**
 * The variances of the forward process. Arrays are 0-based: index `step` in 0…T−1 belongs to t = step + 1 of the papers.
 * Before the first step lies the data, `step` = −1, where ᾱ = 1.
 */
export interface NoiseSchedule {
  /** T, the number of forward steps. */
  readonly timesteps: number;
  /** β_t, variance of one forward step, each in (0, 1); the last may be 1. */
  readonly betas: Float64Array;
  /** α_t = 1 − β_t. */
  readonly alphas: Float64Array;
  /** ᾱ_t = ∏_{s≤t} α_s, the part of the data's variance that is left; 0 at the last step when β_T = 1. */
  readonly alphasCumprod: Float64Array;
  /** 1 − ᾱ_t, the noise's variance, summed without cancellation so that tiny values stay exact. */
  readonly noiseVariances: Float64Array;
}

const SMALLEST_NORMAL = 2 ** -1022;

function checkBeta(beta: number, step: number, timesteps: number): void {
  if ((beta > 0 && beta < 1) || (beta === 1 && step === timesteps - 1)) return;
  const but = beta === 1 ? "; only the last may be 1" : "";
  throw new UnnoiseError(
    "usage",
    `betas[${step}]: expected a number between 0 and 1 (both excluded), got ${beta}${but}`,
  );
}

function checkSignal(alphaCumprod: number, beta: number, step: number): void {
  if (alphaCumprod < SMALLEST_NORMAL && beta < 1) {
    throw new UnnoiseError("usage", `betas: ᾱ is below 2^−1022 at step ${step}; use smaller betas or fewer timesteps`);
  }
}

/**
 * Builds a schedule from its betas: α_t = 1 − β_t, ᾱ_t = ∏_{s≤t} α_s (Ho et al. 2020, eq. 4, arXiv 2006.11239). The
 * last beta may be 1: then x_T is pure noise, ᾱ_T = 0 and 1 − ᾱ_T = 1 exactly (zero terminal SNR).
 * @param betas β_1…β_T, each in (0, 1), the last in (0, 1]; copied
 * @throws UnnoiseError `usage` for no betas, a beta outside its range, or a product that vanishes in float64
 */
export function scheduleFromBetas(betas: ArrayLike<number>): NoiseSchedule {
  checkTimesteps(betas.length);
  const alphas = Float64Array.from(betas, (beta) => 1 - beta);
  const alphasCumprod = new Float64Array(betas.length);
  const noiseVariances = new Float64Array(betas.length);
  let alphaCumprod = 1;
  let noiseVariance = 0;
  for (let step = 0; step < betas.length; step++) {
    const beta = at(betas, step);
    checkBeta(beta, step, betas.length);
    noiseVariance = beta === 1 ? 1 : noiseVariance + alphaCumprod * beta;
    alphaCumprod *= 1 - beta;
    checkSignal(alphaCumprod, beta, step);
    alphasCumprod[step] = alphaCumprod;
    noiseVariances[step] = noiseVariance;
  }
  return { timesteps: betas.length, betas: Float64Array.from(betas), alphas, alphasCumprod, noiseVariances };
}

/**
 * Betas in equal steps: β_t = β_1 + (t − 1)/(T − 1) · (β_T − β_1) (Ho et al. 2020, section 4, arXiv 2006.11239). With T = 1
 * the only beta is β_1.
 * @param options T, β_1 (default 1e-4), β_T (default 0.02)
 * @throws UnnoiseError `usage` for a number out of range, or a product of alphas that vanishes in float64
 */
export function linearSchedule(options: BetaRangeOptions = {}): NoiseSchedule {
  const { timesteps, betaStart, betaEnd } = betaRange(options);
  return scheduleFromBetas(linspace(betaStart, betaEnd, timesteps));
}

function checkStep(schedule: NoiseSchedule, step: number, first: number): void {
  if (!Number.isInteger(step) || step < first || step >= schedule.timesteps) {
    const range = `${first === 0 ? "0" : "−1"}…${schedule.timesteps - 1}`;
    throw new UnnoiseError("usage", `step: expected an integer in ${range} (0-based, step = t − 1), got ${step}`);
  }
}

/**
 * β_t of one forward step.
 * @param step in 0…T−1
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function betaAt(schedule: NoiseSchedule, step: number): number {
  checkStep(schedule, step, 0);
  return at(schedule.betas, step);
}

/**
 * ᾱ_t, with ᾱ = 1 before the first step.
 * @param step in −1…T−1; −1 is the data
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function alphaCumprodAt(schedule: NoiseSchedule, step: number): number {
  checkStep(schedule, step, -1);
  return step === -1 ? 1 : at(schedule.alphasCumprod, step);
}

/**
 * 1 − ᾱ_t, the variance of the noise in x_t, 0 before the first step.
 * @param step in −1…T−1; −1 is the data
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function noiseVarianceAt(schedule: NoiseSchedule, step: number): number {
  checkStep(schedule, step, -1);
  return step === -1 ? 0 : at(schedule.noiseVariances, step);
}

/** Signal-to-noise ratio SNR(t) = ᾱ_t/(1 − ᾱ_t) (Kingma et al. 2021, eq. 2, arXiv 2107.00630); ∞ at `step` = −1, 0 where ᾱ = 0. */
export function snr(schedule: NoiseSchedule, step: number): number {
  return alphaCumprodAt(schedule, step) / noiseVarianceAt(schedule, step);
}

/** log SNR(t) = log ᾱ_t − log(1 − ᾱ_t), in nats; falls with every step; ∞ at `step` = −1, −∞ where ᾱ = 0. */
export function logSnr(schedule: NoiseSchedule, step: number): number {
  return Math.log(alphaCumprodAt(schedule, step)) - Math.log(noiseVarianceAt(schedule, step));
}
