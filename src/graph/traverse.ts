import type { Node } from "./node.ts";

/** Every node that `outputs` depend on, each after its inputs: what is unreachable is dead code and drops out here. */
export function topologicalOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = [...outputs].reverse();
  while (stack.length > 0) {
    const node = stack.at(-1) as Node;
    if (state.has(node)) {
      stack.pop();
      if (state.get(node) === "open") order.push(node);
      state.set(node, "done");
      continue;
    }
    state.set(node, "open");
    for (let i = node.inputs.length - 1; i >= 0; i--) {
      const input = node.inputs[i] as Node;
      if (!state.has(input)) stack.push(input);
    }
  }
  return order;
}

/**
 * The same nodes, the last result first with all that it needs, of what a node takes the latest first: how ONNX Runtime orders a
 * model's nodes when it runs them one by one.
 */
export function lastFirstOrder(outputs: readonly Node[]): Node[] {
  const place = new Map(topologicalOrder(outputs).map((node, i) => [node, i]));
  const ascending = (nodes: Iterable<Node>): Node[] =>
    [...nodes].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = ascending(new Set(outputs));
  while (stack.length > 0) {
    const node = stack.at(-1) as Node;
    if (!state.has(node)) {
      state.set(node, "open");
      stack.push(...ascending(node.inputs).filter((input) => !state.has(input)));
      continue;
    }
    stack.pop();
    if (state.get(node) === "open") order.push(node);
    state.set(node, "done");
  }
  return order;
}

/**
 * Rebuilds a graph bottom-up: `visit` gets each node with its inputs already replaced and returns the node to use instead.
 * @returns the replacement of each of `outputs`, in order
 */
export function rewrite(outputs: readonly Node[], visit: (node: Node, original: Node) => Node): Node[] {
  const replaced = new Map<Node, Node>();
  const swap = (node: Node): Node => replaced.get(node) ?? node;
  for (const node of topologicalOrder(outputs)) {
    const inputs = node.inputs.map(swap);
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    replaced.set(node, visit(changed ? { ...node, inputs } : node, node));
  }
  return outputs.map(swap);
}
