import { UnnoiseError } from "../../math/error.ts";
import { transitionBeta } from "../forward.ts";
import { samplerOf } from "../linear-method.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "../posterior.ts";
import type { Estimate, Sampler, StepCoefficients } from "../sampler.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { learnedLogVariance, type FixedVariance } from "../variance.ts";

/** Variance of the reverse step: fixed, or as the network learned it. */
export type ReverseVariance = FixedVariance | "learned";

/**
 * σ_t² of the reverse step p_θ(x_s|x_t): β_{t|s} for `large`, β̃ for `small` (Ho et al. 2020, section 3.2, arXiv
 * 2006.11239, where s = t − 1). 0 when s is the data, because the last step adds no noise (Algorithm 2, z = 0 at t = 1).
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function reverseVariance(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
  variance: FixedVariance,
): number {
  if (variance === "small" || previousStep === -1) return posteriorVariance(schedule, step, previousStep);
  return transitionBeta(schedule, step, previousStep);
}

/**
 * One ancestral step: x_s = μ̃(x̂_0, x_t) + σ_t z (Ho et al. 2020, Algorithm 2, arXiv 2006.11239; for s < t − 1 the same
 * with β_{t|s}, α_{t|s}). μ̃ at x̂_0 is `meanFromEps` when x̂_0 is not clipped.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function ddpmCoefficients(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
  variance: FixedVariance,
): StepCoefficients {
  const { x0, xt } = posteriorMeanCoefficients(schedule, step, previousStep);
  return { xt, x0, eps: 0, noise: Math.sqrt(reverseVariance(schedule, step, previousStep, variance)) };
}

/** What `ddpm` takes. */
export interface DdpmOptions {
  readonly variance?: ReverseVariance;
}

/**
 * Ancestral sampling (Ho et al. 2020, Algorithm 2, arXiv 2006.11239), with a learned variance that of Nichol & Dhariwal 2021
 * (arXiv 2102.09672).
 * @returns a sampler; each run takes `SamplerOptions`. With `learned` it throws `data` when the denoiser says nothing of its
 * variance
 */
export function ddpm({ variance = "large" }: DdpmOptions = {}): Sampler {
  const fixed = variance === "learned" ? "small" : variance;
  return samplerOf({
    name: "ddpm",
    coefficients: (schedule, step, previousStep) => ddpmCoefficients(schedule, step, previousStep, fixed),
    ...(variance === "learned" && { deviations: learnedDeviations }),
  });
}

/**
 * σ of each value, as the network says it; not for the last step, which adds no noise.
 * @throws UnnoiseError `data` when the denoiser says nothing of its variance
 */
export function learnedDeviations(
  { variance }: Estimate,
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
): Float64Array {
  if (!variance) {
    throw new UnnoiseError("data", "ddpm: variance learned: the denoiser says nothing of it; choose large or small");
  }
  const logVariances = learnedLogVariance(variance, { schedule, step, previousStep });
  return logVariances.map((logVariance) => Math.exp(logVariance / 2));
}
