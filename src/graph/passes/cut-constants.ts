import { at } from "../../math/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { isOp, type Node } from "../node.ts";
import { rewrite } from "../traverse.ts";

/**
 * Replaces parts of a constant along its first axis, and constants of another shape, by constants that share its memory: the weights
 * of a network that are baked in as one vector then reach ONNX one by one, and the runtime need not hold the vector as well.
 */
export function cutConstants(outputs: readonly Node[]): Node[] {
  return rewrite(outputs, (node) => {
    const [source] = node.inputs;
    if (!source || !isOp(source, "constant")) return node;
    const { data } = source.attributes;
    if (isOp(node, "reshape")) return viewOf(node, data);
    if (!isOp(node, "split") || node.attributes.axis !== 0) return node;
    const { sizes, part } = node.attributes;
    const row = sizeOf(source.shape.slice(1));
    const start = sizes.slice(0, part).reduce((total, size) => total + size, 0);
    return viewOf(node, data.subarray(start * row, (start + at(sizes, part)) * row));
  });
}

function viewOf({ dtype, shape, path }: Node, data: Float64Array): Node<"constant"> {
  const type = { dtype, shape };
  return { ...type, op: "constant", inputs: [], attributes: { type, data }, path };
}
