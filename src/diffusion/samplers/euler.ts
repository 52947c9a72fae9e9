import { weightedSum } from "../combine.ts";
import type { Sampler } from "../sampler.ts";
import { samplerFrom } from "../sampling-loop.ts";
import { ddimCoefficients } from "./ddim.ts";
import { churnOf, type ChurnOptions } from "./edm-churn.ts";

/**
 * Euler's method on dx̃/dσ = ε, with churn (Karras et al. 2022, Algorithm 2 without its second-order correction, arXiv
 * 2206.00364): x̃_s = x̃̂ + (σ_s − σ̂) ε(x̃̂; σ̂), where x̃ = x/√ᾱ. In x that is the DDIM step with η = 0 from x̂, so without churn
 * both samplers are the same. Each step's x̂_0 and ε belong to x̂.
 * @returns a sampler of first order; each run takes `SamplerOptions`
 * @throws UnnoiseError `usage` for a number out of range
 */
export function euler(options: ChurnOptions = {}): Sampler {
  const churn = churnOf(options);
  return samplerFrom({
    name: "euler",
    begin: (walk) => async (xt, position) => {
      const raised = churn(walk, xt, position);
      const estimate = await walk.estimate(raised.xt, raised.step);
      const weights = ddimCoefficients(walk.schedule, raised.step, position.previousStep, 0);
      return { x0: estimate.x0, eps: estimate.eps, xPrevious: weightedSum(estimate.terms(weights.x0, weights.eps)) };
    },
  });
}
