import { mul, sigmoid } from "../builders.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite, topologicalOrder } from "../traverse.ts";

/**
 * Writes silu(x) as x·σ(x) where σ(x) is computed anyway, as in its own derivative; merging common subexpressions then leaves one
 * σ(x). What stays `silu` is one kernel on the CPU provider.
 */
export function shareSigmoid(outputs: readonly Node[]): Node[] {
  const arguments_ = new Set(topologicalOrder(outputs).flatMap((node) => (isOp(node, "sigmoid") ? node.inputs : [])));
  return rewrite(outputs, (node, original) => {
    const [x] = node.inputs;
    const shared = isOp(node, "silu") && original.inputs.some((input) => arguments_.has(input));
    return shared && x ? { ...mul(x, sigmoid(x)), path: node.path } : node;
  });
}
