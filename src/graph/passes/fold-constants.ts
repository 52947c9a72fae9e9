import { sizeOf } from "../../tensor/tensor.ts";
import { evaluateNode } from "../evaluate.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite } from "../traverse.ts";

/** Larger results stay computed: folding a broadcast would trade an operator for a stored array. */
const LARGEST_FOLD = 4096;

/** Replaces every operator whose inputs are all constants by its value. */
export function foldConstants(outputs: readonly Node[]): Node[] {
  return rewrite(outputs, (node) => {
    const known = node.inputs.every((input) => isOp(input, "constant"));
    if (node.inputs.length === 0 || !known || sizeOf(node.shape) > LARGEST_FOLD) return node;
    const inputs = node.inputs.map(({ shape, attributes }) => ({
      shape,
      data: attributes.data,
    }));
    const { data } = evaluateNode(node, inputs);
    const type = { dtype: node.dtype, shape: node.shape };
    return { ...type, op: "constant", inputs: [], attributes: { type, data }, path: node.path };
  });
}
