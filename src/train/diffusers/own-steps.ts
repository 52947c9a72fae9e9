import type { SamplingMethod, StepCoefficients } from "../../diffusion/sampler.ts";
import { ddimCoefficients } from "../../diffusion/samplers/ddim.ts";
import { ddpmCoefficients } from "../../diffusion/samplers/ddpm.ts";
import type { ReverseVariance } from "../../diffusion/samplers/ddpm.ts";
import { dpmpp2mSdeCoefficients } from "../../diffusion/samplers/dpmpp-2m-sde.ts";
import { dpmpp2mCoefficients } from "../../diffusion/samplers/dpmpp-2m.ts";
import { transitionBeta } from "../../diffusion/forward.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { learnedLogVariance } from "../../diffusion/variance.ts";
import { UnnoiseError } from "../../math/error.ts";

/**
 * DDPM's step as diffusers makes it: as `ddpm`, but noise is added in the last one too, unless that leaves step 0.
 * @param variance large or small, or learned between them
 */
export function noisyEndDdpm(variance: ReverseVariance): SamplingMethod {
  const fixed = variance === "learned" ? "small" : variance;
  return {
    name: "ddpm",
    coefficients: (schedule, step, previousStep) => {
      const weights = ddpmCoefficients(schedule, step, previousStep, fixed);
      if (previousStep >= 0 || step === 0 || variance === "small") return weights;
      return { ...weights, noise: Math.sqrt(transitionBeta(schedule, step, previousStep)) };
    },
    ...(variance === "learned" && {
      deviations: ({ variance: said }, schedule, step, previousStep) => {
        if (!said) throw new UnnoiseError("data", "ddpm: variance_type learned_range: the network says no variance");
        const logVariances = learnedLogVariance(said, { schedule, step, previousStep, first: "clamp" });
        return logVariances.map((logVariance) => Math.exp(logVariance / 2));
      },
    }),
  };
}

/** What a DDIM step of diffusers depends on besides its step. */
export interface Stride {
  /** ⌊T/N⌋ */
  readonly stride: number;
  /** Where a step to before step 0 leads: −1, ᾱ = 1, or 0, ᾱ_1. */
  readonly end: -1 | 0;
  /** η in [0, 1]. */
  readonly eta: number;
}

/**
 * DDIM's step as diffusers makes it: from t to t − ⌊T/N⌋, which is the next step of the run where the spacing is leading or T/N
 * whole.
 */
export function strideDdim({ stride, end, eta }: Stride): SamplingMethod {
  return {
    name: "ddim",
    coefficients: (schedule, step) => {
      const target = step >= stride ? step - stride : end;
      return target < step ? ddimCoefficients(schedule, step, target, eta) : standing(schedule, step);
    },
  };
}

/** √ᾱ_t x̂_0 + √(1 − ᾱ_t) ε: x_t itself where x̂_0 is not limited. */
function standing(schedule: NoiseSchedule, step: number): StepCoefficients {
  const [signal, noise] = [alphaCumprodAt(schedule, step), noiseVarianceAt(schedule, step)];
  return { xt: 0, x0: Math.sqrt(signal), eps: Math.sqrt(noise), noise: 0 };
}

/** What DPM-Solver++ of diffusers depends on besides its steps. */
export interface SolverOrder {
  readonly order: 1 | 2;
  readonly sde: boolean;
  /** Whether the last step is of first order wherever it leads. */
  readonly lowerLast: boolean;
}

/** DPM-Solver++ of first or second order, midpoint form. */
export function dpmSolver({ order, sde, lowerLast }: SolverOrder): SamplingMethod {
  const coefficients = sde ? dpmpp2mSdeCoefficients : dpmpp2mCoefficients;
  return {
    name: sde ? "dpmpp-2m-sde" : "dpmpp-2m",
    memory: order - 1,
    coefficients: (schedule, step, previousStep, earlier, remaining) =>
      coefficients(schedule, step, previousStep, lowerLast && remaining === 0 ? [] : earlier),
  };
}
