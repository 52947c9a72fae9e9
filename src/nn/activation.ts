import { gelu, maximum, mul, silu, tanh } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { softplus } from "./monotone.ts";

/** Names of `activations`. */
export const activationNames = ["silu", "swish", "mish", "gelu", "relu"] as const;
export type ActivationName = (typeof activationNames)[number];

/** Activations under diffusers' names. Mish is x·tanh(log(1 + eˣ)) (Misra 2019, arXiv 1908.08681); `swish` is SiLU. */
export const activations: Readonly<Record<ActivationName, (x: Node) => Node>> = {
  silu,
  swish: silu,
  mish: (x) => mul(x, tanh(softplus(x))),
  gelu,
  relu: (x) => maximum(x, 0),
};
