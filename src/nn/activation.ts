import { gelu, maximum, mul, silu, tanh } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { softplus } from "./monotone.ts";

/** Activations under diffusers' names. Mish is x·tanh(log(1 + eˣ)) (Misra 2019, arXiv 1908.08681); `swish` is SiLU. */
export const activations = {
  silu,
  swish: silu,
  mish: (x: Node): Node => mul(x, tanh(softplus(x))),
  gelu,
  relu: (x: Node): Node => maximum(x, 0),
} as const;

export type ActivationName = keyof typeof activations;
/** Names of `activations`. */
export const activationNames: readonly ActivationName[] = ["silu", "swish", "mish", "gelu", "relu"];
