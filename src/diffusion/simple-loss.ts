import { add, constant, gather, mean, mul, split, sub } from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import type { NoiseSchedule } from "./schedule.ts";

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
 * @param schedule gives √ᾱ_t and √(1 − ᾱ_t)
 * @returns a float32 scalar node
 */
export function simpleLoss({ x0, eps, steps }: LossInputs, schedule: NoiseSchedule, predict: Predict): Node {
  return scope("L_simple", () => {
    const { timesteps, alphasCumprod, noiseVariances } = schedule;
    const rows = Array.from({ length: timesteps }, (_, t) =>
      [at(alphasCumprod, t), at(noiseVariances, t)].map(Math.sqrt),
    );
    const table = constant(rows.flat(), [timesteps, 2]);
    const [signal, noise] = split(gather(table, steps), 1, [1, 1]) as [Node, Node];
    const xt = add(mul(signal, x0), mul(noise, eps));
    const error = sub(predict(xt, steps), eps);
    return mean(mul(error, error));
  });
}
