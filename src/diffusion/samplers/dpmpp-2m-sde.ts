import { samplerOf } from "../linear-method.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "../posterior.ts";
import type { Sampler, StepCoefficients } from "../sampler.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { extrapolation } from "./dpmpp-2m.ts";

/**
 * One step of SDE-DPM-Solver++(2M): x_s = (σ_s/σ_t) e^{−h} x_t + α_s (1 − e^{−2h}) D + σ_s √(1 − e^{−2h}) z with D as in
 * `extrapolation` (Lu et al. 2022, arXiv 2211.01095). These are the weights of the posterior q(x_s|x_t, x_0 = D), so the first
 * order is DDPM with the small variance.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @param earlier the step before t, if there was one
 * @throws UnnoiseError `usage` for steps outside the schedule
 */
export function dpmpp2mSdeCoefficients(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
  earlier: readonly number[],
): StepCoefficients {
  const { xt, x0 } = posteriorMeanCoefficients(schedule, step, previousStep);
  const slope = extrapolation(schedule, step, previousStep, earlier);
  return {
    xt,
    x0: x0 * (1 + slope),
    eps: 0,
    earlier: earlier.map(() => -x0 * slope),
    noise: Math.sqrt(posteriorVariance(schedule, step, previousStep)),
  };
}

/**
 * SDE-DPM-Solver++(2M), the multistep solver of second order for the reverse SDE of x̂_0, midpoint form (Lu et al. 2022, arXiv
 * 2211.01095).
 * @returns a sampler; each run takes `SamplerOptions`
 */
export function dpmpp2mSde(): Sampler {
  return samplerOf({ name: "dpmpp-2m-sde", memory: 1, coefficients: dpmpp2mSdeCoefficients });
}
