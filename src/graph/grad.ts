import * as builders from "./builders.ts";
import { GraphError, scope, type Node, type OpName } from "./node.ts";
import { operators } from "./operator-table.ts";
import type { Operator } from "./operator.ts";
import { Recomputation } from "./recompute.ts";
import { shapeText } from "../tensor/tensor.ts";
import { topologicalOrder } from "./traverse.ts";

export interface GradOptions {
  /**
   * Whether values between borders that `checkpoint` marks are computed a second time on the way back instead of kept: less memory,
   * more work, the same gradients. What depends on no input outside `wrt` is kept. Default false.
   */
  readonly recompute?: boolean;
}

/**
 * Reverse-mode differentiation: dloss/dw for each w of `wrt`, as graphs.
 * @param loss a float32 scalar
 * @param wrt any float32 nodes of its graph; one that the loss does not depend on gets zeros
 * @returns one node of the same shape for each of `wrt`
 * @throws GraphError when `loss` is no float32 scalar, or one of `wrt` is not float32
 */
export function grad(loss: Node, wrt: readonly Node[], { recompute = false }: GradOptions = {}): Node[] {
  requireDifferentiable(loss, wrt);
  const order = topologicalOrder([loss]);
  const needed = dependents(order, new Set(wrt));
  const back = new Recomputation(order, wrt);
  const flows = new Map<Node, Node>([[loss, builders.constant(1)]]);
  // The same order with and without recomputation, so that sums round the same.
  for (const node of back.order) {
    const dy = flows.get(node);
    if (!dy || !needed.has(node)) continue;
    const used = recompute ? back.valueOf(node, flows) : node;
    scope(`grad(${node.path})`, () => pushBack(node, used, dy, needed, flows));
  }
  return wrt.map((w) => flows.get(w) ?? builders.broadcastTo(builders.constant(0), w.shape));
}

function requireDifferentiable(loss: Node, wrt: readonly Node[]): void {
  if (loss.shape.length !== 0 || loss.dtype !== "float32") {
    throw new GraphError(loss.path, `grad needs a float32 scalar loss, got ${loss.dtype} ${shapeText(loss.shape)}`);
  }
  const whole = wrt.find(({ dtype }) => dtype !== "float32");
  if (whole) throw new GraphError(whole.path, `grad is taken with respect to float32 values, got ${whole.dtype}`);
}

/** Nodes through which a gradient must pass: those that depend on one of `targets`, and the targets. */
function dependents(order: readonly Node[], targets: ReadonlySet<Node>): Set<Node> {
  const needed = new Set<Node>();
  for (const node of order) {
    if (targets.has(node) || node.inputs.some((input) => needed.has(input))) needed.add(node);
  }
  return needed;
}

/** Adds to `flows` what flows from `node` into its inputs; `used` is the node, or its value computed again. */
function pushBack<K extends OpName>(
  node: Node,
  used: Node<K>,
  dy: Node,
  needed: ReadonlySet<Node>,
  flows: Map<Node, Node>,
): void {
  if (!node.inputs.some((input) => needed.has(input))) return;
  const { derivative } = operators[used.op] as Operator<K>;
  if (derivative === null) return;
  derivative(dy, used, builders).forEach((dx, i) => {
    const input = node.inputs[i];
    if (!dx || !input || !needed.has(input)) return;
    const earlier = flows.get(input);
    flows.set(input, earlier ? builders.add(earlier, dx) : dx);
  });
}
