import { UnnoiseError, invariant } from "../math/error.ts";
import { shapeText, sizeOf } from "../tensor/tensor.ts";
import { isOp, type Node, type OpName } from "./node.ts";
import { operators } from "./operator-table.ts";
import type { HostValue, Operator } from "./operator.ts";
import { topologicalOrder } from "./traverse.ts";

/** Runs one operator on host values, in float64. */
export function evaluateNode<K extends OpName>(node: Node<K>, inputs: readonly HostValue[]): HostValue {
  const operator = operators[node.op] as Operator<K>;
  return { shape: node.shape, data: operator.evaluate(inputs, node.attributes, node) };
}

/**
 * Runs a graph on the host in float64: slow and exact, the reference for every provider.
 * @param feeds one array for each input name
 * @throws UnnoiseError `graph` when an input is missing or has the wrong size
 */
export function evaluate(
  outputs: readonly Node[],
  feeds: Readonly<Record<string, ArrayLike<number>>> = {},
): HostValue[] {
  const values = new Map<Node, HostValue>();
  const valueOf = (node: Node): HostValue => {
    const value = values.get(node);
    invariant(value, `${node.path} was not evaluated`);
    return value;
  };
  for (const node of topologicalOrder(outputs)) {
    values.set(node, isOp(node, "input") ? fed(node, feeds) : evaluateNode(node, node.inputs.map(valueOf)));
  }
  return outputs.map(valueOf);
}

function fed(node: Node<"input">, feeds: Readonly<Record<string, ArrayLike<number>>>): HostValue {
  const data = feeds[node.attributes.name];
  if (data?.length !== sizeOf(node.shape)) {
    const got = data ? `${data.length} values` : "nothing";
    throw new UnnoiseError("graph", `input ${node.attributes.name}: expected ${shapeText(node.shape)}, got ${got}`);
  }
  return { shape: node.shape, data: Float64Array.from(data) };
}
