import { add, mul, sub } from "../graph/builders.ts";
import type { Operand } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";

/** One step of the exponential moving average: ē ← ē + (1 − decay)·(w − ē). */
export function emaStep(average: Node, weights: Node, oneMinusDecay: Operand): Node {
  return add(average, mul(sub(weights, average), oneMinusDecay));
}

/**
 * The decay used at update i (1, 2, …): min(decay, (1 + i)/(10 + i)), the warm-up of TensorFlow's ExponentialMovingAverage, so
 * that early averages follow the weights and are not the random start.
 */
export function emaDecay(decay: number, update: number): number {
  return Math.min(decay, (1 + update) / (10 + update));
}
