import { abs, minimum, mul, sub } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";

/**
 * How an error e counts: `l2` e², `l1` |e|, `huber` with δ = 1: ½e² for |e| ≤ 1, |e| − ½ beyond (Huber 1964, eq. 3.4, with
 * k = 1).
 */
export const lossNorms = ["l2", "l1", "huber"] as const;
export type LossNorm = (typeof lossNorms)[number];

const norms: Record<LossNorm, (error: Node) => Node> = {
  l2: (error) => mul(error, error),
  l1: abs,
  // With m = min(|e|, 1) both branches are m·(|e| − ½m).
  huber: (error) => {
    const size = abs(error);
    const inner = minimum(size, 1);
    return mul(inner, sub(size, mul(inner, 0.5)));
  },
};

/** The loss of each element of an error, in a norm. */
export function lossOf(error: Node, norm: LossNorm): Node {
  return norms[norm](error);
}
