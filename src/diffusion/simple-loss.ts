import { add, constant, gather, mean, mul, split, sub } from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";

/** A network inside a graph: ε_θ(x_t, t) for xt [B, …D] and 0-based steps [B]. */
export type Predict = (xt: Node, steps: Node) => Node;

export interface LossInputs {
  /** Clean data x_0 [B, D]. */
  readonly x0: Node;
  /** Standard normal noise ε [B, D]. */
  readonly eps: Node;
  /** Timesteps, 0-based, int32 [B]. */
  readonly steps: Node;
}

/**
 * The simplified objective L_simple = E‖ε − ε_θ(√ᾱ_t·x_0 + √(1 − ᾱ_t)·ε, t)‖² (Ho et al. 2020, eq. 14), as the mean over batch
 * and dimensions.
 * @param alphasCumprod ᾱ_1…ᾱ_T, float64 [T]
 * @returns a float32 scalar node
 */
export function simpleLoss({ x0, eps, steps }: LossInputs, alphasCumprod: Float64Array, predict: Predict): Node {
  return scope("L_simple", () => {
    const rows = [...alphasCumprod].flatMap((alphaCumprod) => [Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod)]);
    const table = constant(rows, [alphasCumprod.length, 2]);
    const [signal, noise] = split(gather(table, steps), 1, [1, 1]) as [Node, Node];
    const xt = add(mul(signal, x0), mul(noise, eps));
    const error = sub(predict(xt, steps), eps);
    return mean(mul(error, error));
  });
}
