import { at } from "../math/error.ts";
import { gate } from "./basic-builders.ts";
import { isOp, type Node } from "./node.ts";

type Flows = ReadonlyMap<Node, Node>;

/**
 * Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174): the way back through a segment of the graph uses values that are
 * computed again from what enters the segment. Segments are numbered by the most `checkpoint` borders on a way from an input; the last
 * one, whose way back comes right after, is not computed again. What enters passes a gate that opens when the segments behind are done,
 * so that the second computation neither runs early nor is merged with the first.
 */
export class Recomputation {
  /** The nodes in the order of the way back: segment by segment, the last first. */
  readonly order: readonly Node[];
  readonly #segments: readonly (readonly Node[])[];
  readonly #segmentOf = new Map<Node, number>();
  /** What is computed from data: the rest (weights, constants and what is made of them alone) is kept. */
  readonly #fed: ReadonlySet<Node>;
  readonly #wrt: ReadonlySet<Node>;
  /** Values of the segment on the way back. */
  #again = new Map<Node, Node>();
  #current: number;
  /** The flows when the way back entered the segment before. */
  #before: Flows = new Map();

  /** @param order a loss and all it depends on, each after its inputs */
  constructor(order: readonly Node[], wrt: readonly Node[]) {
    for (const node of order) {
      const enters = node.inputs.map((input) => this.#segment(input) + (isOp(input, "checkpoint") ? 1 : 0));
      this.#segmentOf.set(node, Math.max(0, ...enters));
    }
    const count = 1 + [...this.#segmentOf.values()].reduce((a, b) => Math.max(a, b), 0);
    this.#segments = Array.from({ length: count }, (_, s) => order.filter((node) => this.#segment(node) === s));
    this.order = this.#segments.toReversed().flatMap((nodes) => nodes.toReversed());
    this.#wrt = new Set(wrt);
    this.#fed = fedBy(order, this.#wrt);
    this.#current = count - 1;
  }

  /** `node`, or what computes its value again; `flows` are the gradients so far. */
  valueOf(node: Node, flows: Flows): Node {
    const segment = this.#segment(node);
    if (segment < this.#current) this.#enter(segment, flows);
    return this.#again.get(node) ?? node;
  }

  #segment(node: Node): number {
    return this.#segmentOf.get(node) ?? 0;
  }

  #enter(segment: number, flows: Flows): void {
    this.#current = segment;
    const earlier = new Set(this.#before.values());
    const isOpen = ([to, flow]: [Node, Node]): boolean =>
      (this.#segment(to) <= segment || this.#wrt.has(to)) && !earlier.has(flow) && !isOp(flow, "constant");
    const waits = new Set([...flows].filter(isOpen).map(([, flow]) => flow));
    this.#again = waits.size > 0 ? this.#compute(at(this.#segments, segment), [...waits]) : new Map<Node, Node>();
    this.#before = new Map(flows);
  }

  #compute(nodes: readonly Node[], waits: readonly Node[]): Map<Node, Node> {
    const again = new Map<Node, Node>();
    const inside = new Set(nodes);
    const enter = (node: Node): Node => {
      const known = again.get(node);
      if (known || !this.#fed.has(node) || node.dtype !== "float32") return known ?? node;
      if (inside.has(node) && !isOp(node, "input")) return node;
      const gated = gate(node, waits);
      again.set(node, gated);
      return gated;
    };
    for (const node of nodes) {
      const inputs = node.inputs.map(enter);
      if (inputs.some((input, i) => input !== node.inputs[i])) again.set(node, { ...node, inputs });
    }
    return again;
  }
}

/** Nodes that depend on an input that is none of `weights`. */
function fedBy(order: readonly Node[], weights: ReadonlySet<Node>): Set<Node> {
  const fed = new Set<Node>();
  for (const node of order) {
    const isData = isOp(node, "input") && !weights.has(node);
    if (isData || node.inputs.some((input) => fed.has(input))) fed.add(node);
  }
  return fed;
}
