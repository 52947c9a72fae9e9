import { shapeText } from "../tensor/tensor.ts";
import { GraphError, pathOf, type Attributes, type Node, type OpName } from "./node.ts";
import { operators } from "./operator-table.ts";
import { Mismatch } from "./operator.ts";

/**
 * Applies an operator: infers the type of its result and makes the node.
 * @throws GraphError when the inputs do not fit: operator, shapes, reason and the node's path
 */
export function apply<K extends OpName>(op: K, inputs: readonly Node[], attributes: Attributes[K]): Node<K> {
  const path = pathOf(op);
  try {
    const { dtype, shape } = operators[op].infer(inputs, attributes);
    return { op, inputs, attributes, path, dtype, shape };
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    const shapes = inputs.map((input) => shapeText(input.shape)).join(" and ");
    throw new GraphError(path, shapes ? `${op} of ${shapes}: ${error.message}` : error.message);
  }
}
