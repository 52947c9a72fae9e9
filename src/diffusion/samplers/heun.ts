import { UnnoiseError } from "../../math/error.ts";
import { weightedSum } from "../combine.ts";
import { edmSigma } from "../noise-level.ts";
import type { Sampler } from "../sampler.ts";
import { samplerFrom } from "../sampling-loop.ts";
import { alphaCumprodAt, type NoiseSchedule } from "../schedule.ts";
import { ddimCoefficients } from "./ddim.ts";
import { churnOf, type ChurnOptions } from "./edm-churn.ts";

/**
 * Half of the step in σ, in the units of x_s: ½ √ᾱ_s (σ_s − σ_t), the weight of ε′ − ε in Heun's correction.
 * @throws UnnoiseError `usage` where ᾱ_t = 0
 */
function heunWeight(schedule: NoiseSchedule, step: number, previousStep: number): number {
  const sigma = edmSigma(schedule, step);
  if (sigma === Infinity) {
    const advice = "use euler, or leave the step out";
    throw new UnnoiseError("usage", `heun: step ${step} has ᾱ = 0, hence σ = ∞, and no derivative in σ; ${advice}`);
  }
  return (Math.sqrt(alphaCumprodAt(schedule, previousStep)) * (edmSigma(schedule, previousStep) - sigma)) / 2;
}

/**
 * Heun's method on dx̃/dσ = ε, with churn (Karras et al. 2022, Algorithm 2, arXiv 2206.00364): x̃_s = x̃̂ + (σ_s − σ̂) ½(ε + ε′), where
 * x̃ = x/√ᾱ, ε is taken at x̃̂ and ε′ where Euler's step from there ends. A step to the data is Euler's. Each step asks the
 * denoiser twice, the last once; its x̂_0 and ε are the first ones.
 * @returns a sampler of second order; each run takes `SamplerOptions`, and throws `usage` for a step where ᾱ = 0
 * @throws UnnoiseError `usage` for a number out of range
 */
export function heun(options: ChurnOptions = {}): Sampler {
  const churn = churnOf(options);
  return samplerFrom({
    name: "heun",
    begin: (walk) => async (xt, position) => {
      const { previousStep } = position;
      const raised = churn(walk, xt, position);
      const weight = heunWeight(walk.schedule, raised.step, previousStep);
      const estimate = await walk.estimate(raised.xt, raised.step);
      const { x0, eps } = estimate;
      const toward = ddimCoefficients(walk.schedule, raised.step, previousStep, 0);
      const euler = weightedSum(estimate.terms(toward.x0, toward.eps));
      if (previousStep === -1) return { x0, eps, xPrevious: euler };
      const second = await walk.estimate(euler, previousStep);
      const terms = [...estimate.terms(toward.x0, toward.eps - weight), ...second.terms(0, weight)];
      return { x0, eps, xPrevious: weightedSum(terms) };
    },
  });
}
