import { samplerOf } from "../linear-method.ts";
import { halfLogSnr } from "../noise-level.ts";
import type { Sampler, StepCoefficients } from "../sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";

/**
 * 1/(2r) with r = h_{i−1}/h_i, the ratio of the last step in λ to this one: how far x̂_0 is extrapolated, D = x̂_0 + (x̂_0 − x̂_0′)/(2r)
 * (Lu et al. 2022, Algorithm 2, arXiv 2211.01095). 0, hence first order, in the first step and in the step to the data.
 */
export function extrapolation(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
  earlier: readonly number[],
): number {
  const [before] = earlier;
  if (before === undefined || previousStep === -1) return 0;
  const lambda = halfLogSnr(schedule, step);
  return (halfLogSnr(schedule, previousStep) - lambda) / (2 * (lambda - halfLogSnr(schedule, before)));
}

/**
 * One step of DPM-Solver++(2M): x_s = (σ_s/σ_t) x_t − α_s (e^{−h} − 1) D with h = λ_s − λ_t, α = √ᾱ, σ = √(1 − ᾱ) (Lu et al. 2022,
 * Algorithm 2, arXiv 2211.01095).
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @param earlier the step before t, if there was one
 * @throws UnnoiseError `usage` for steps outside the schedule
 */
export function dpmpp2mCoefficients(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
  earlier: readonly number[],
): StepCoefficients {
  const h = halfLogSnr(schedule, previousStep) - halfLogSnr(schedule, step);
  const data = -Math.sqrt(alphaCumprodAt(schedule, previousStep)) * Math.expm1(-h);
  const slope = extrapolation(schedule, step, previousStep, earlier);
  return {
    xt: Math.sqrt(noiseVarianceAt(schedule, previousStep) / noiseVarianceAt(schedule, step)),
    x0: data * (1 + slope),
    eps: 0,
    earlier: earlier.map(() => -data * slope),
    noise: 0,
  };
}

/**
 * DPM-Solver++(2M), the multistep solver of second order for the ODE of x̂_0, midpoint form (Lu et al. 2022, Algorithm 2, arXiv
 * 2211.01095).
 * @returns a sampler; each run takes `SamplerOptions`
 */
export function dpmpp2m(): Sampler {
  return samplerOf({ name: "dpmpp-2m", memory: 1, coefficients: dpmpp2mCoefficients });
}
