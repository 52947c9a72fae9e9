import { UnnoiseError } from "../../math/error.ts";
import { posteriorVariance } from "../posterior.ts";
import type { Sampler, StepCoefficients } from "../sampler.ts";
import { samplerOf } from "../linear-method.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import { reverseVariance } from "./ddpm.ts";

/**
 * Standard deviation of a DDIM step: σ = η √((1 − ᾱ_s)/(1 − ᾱ_t)) √(1 − ᾱ_t/ᾱ_s) = η √β̃ (Song et al. 2020, eq. 16, arXiv
 * 2010.02502, which writes α for ᾱ).
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @param eta 0 is deterministic, 1 the DDPM posterior
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function ddimSigma(schedule: NoiseSchedule, step: number, previousStep: number, eta: number): number {
  return eta * Math.sqrt(posteriorVariance(schedule, step, previousStep));
}

/**
 * One DDIM step: x_s = √ᾱ_s x̂_0 + √(1 − ᾱ_s − σ²) ε_θ + σ z (Song et al. 2020, eq. 12, arXiv 2010.02502).
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @param eta in [0, 1]
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function ddimCoefficients(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
  eta: number,
): StepCoefficients {
  const sigma = ddimSigma(schedule, step, previousStep, eta);
  // The difference is ≥ 0; where ᾱ_t all but vanishes and η = 1, rounding could put it below.
  const direction = Math.sqrt(Math.max(0, noiseVarianceAt(schedule, previousStep) - sigma ** 2));
  return { xt: 0, x0: Math.sqrt(alphaCumprodAt(schedule, previousStep)), eps: direction, noise: sigma };
}

/**
 * One DDIM step with the larger noise σ̂ = √(1 − ᾱ_t/ᾱ_s): x_s = √ᾱ_s x̂_0 + √(1 − ᾱ_s − σ²) ε_θ + σ̂ z, where σ is that of η = 1
 * (Song et al. 2020, appendix D.3, arXiv 2010.02502). The same process as `ddpm` with the large variance; the step to the data
 * adds no noise.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function ddimHatCoefficients(schedule: NoiseSchedule, step: number, previousStep: number): StepCoefficients {
  const sigmaHat = Math.sqrt(reverseVariance(schedule, step, previousStep, "large"));
  return { ...ddimCoefficients(schedule, step, previousStep, 1), noise: sigmaHat };
}

/** What `ddim` takes. */
export interface DdimOptions {
  /** η in [0, 1]; 0 if absent. */
  readonly eta?: number;
  /** Standard deviation of the noise: `eta`, σ of η (the default), or `hat`, σ̂, which needs no η. */
  readonly sigma?: "eta" | "hat";
}

/**
 * Denoising diffusion implicit models (Song et al. 2020, arXiv 2010.02502).
 * @returns a sampler; each run takes `SamplerOptions`
 * @throws UnnoiseError `usage` for η outside [0, 1], or beside σ̂
 */
export function ddim(options: DdimOptions = {}): Sampler {
  const { eta = 0, sigma = "eta" } = options;
  if (sigma === "hat") return ddimHat(options);
  if (!(eta >= 0 && eta <= 1)) throw new UnnoiseError("usage", `eta: expected a number in 0…1, got ${eta}`);
  return samplerOf({
    name: "ddim",
    coefficients: (schedule, step, previousStep) => ddimCoefficients(schedule, step, previousStep, eta),
  });
}

function ddimHat({ eta }: DdimOptions): Sampler {
  if (eta !== undefined)
    throw new UnnoiseError("usage", `eta: sigma hat takes none, got ${eta}; leave one of them out`);
  return samplerOf({ name: "ddim", coefficients: ddimHatCoefficients });
}
