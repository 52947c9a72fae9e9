import type { Predict } from "../diffusion/objectives/objective.ts";
import { mlp, mlpParameters, type MlpConfig } from "../nn/mlp.ts";
import type { Parameter, Weights } from "../nn/parameters.ts";

/** A network as data: what is saved, and how to build it. */
export type DenoiserConfig = { readonly kind: "MlpDenoiser" } & MlpConfig;

/** Names and shapes of its weights, in the order of the flat vector. */
export function denoiserParameters(config: DenoiserConfig): Parameter[] {
  return mlpParameters(config);
}

/** The network as a graph function of its weights. */
export function denoiserPredict(config: DenoiserConfig): (weights: Weights) => Predict {
  return (weights) => (xt, steps) => mlp(xt, steps, weights, config);
}
