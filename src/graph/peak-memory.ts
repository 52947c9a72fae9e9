import { at } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { GraphDType, Node, OpName, ValueType } from "./node.ts";
import { topologicalOrder } from "./traverse.ts";

/** Memory that a run of a graph needs, in bytes. */
export interface PeakMemory {
  /** The most that computed values take at one time, results included. */
  readonly activations: number;
  readonly inputs: number;
  readonly constants: number;
}

const BYTES: Readonly<Record<GraphDType, number>> = { float32: 4, int32: 4, bool: 1 };
const bytesOf = ({ dtype, shape }: ValueType): number => BYTES[dtype] * sizeOf(shape);

/** Operators whose result is their first input in other words: it takes no memory of its own. */
const ALIASES: ReadonlySet<OpName> = new Set<OpName>(["reshape", "detach", "checkpoint"]);

/** Operators that may write over an input of the same size that nothing else reads later. */
const IN_PLACE: ReadonlySet<OpName> = new Set<OpName>([
  ...(["neg", "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "erf", "abs"] as const),
  ...(["add", "sub", "mul", "div", "minimum", "maximum", "gate"] as const),
]);

/**
 * Estimates the memory of one run by liveness: a value lives from its operator to the last that reads it, results to the end. What
 * operators need for themselves while they run is not counted.
 * @param outputs the results
 * @param order the order of execution: every node that the results depend on, each after its inputs (default: that of emission)
 */
export function peakMemory(outputs: readonly Node[], order: readonly Node[] = topologicalOrder(outputs)): PeakMemory {
  const buffers = buffersOf(order);
  const bufferOf = (node: Node): Node => buffers.get(node) ?? node;
  const lastUse = new Map<Node, number>();
  order.forEach((node, step) => [node, ...node.inputs].forEach((value) => lastUse.set(bufferOf(value), step)));
  for (const output of outputs) lastUse.set(bufferOf(output), order.length);
  let [live, most] = [0, 0];
  for (const [step, node] of order.entries()) {
    const ending = endingAt(step, node.inputs.map(bufferOf), lastUse);
    const made = isLeaf(node) || bufferOf(node) !== node ? 0 : bytesOf(node);
    const takesOver = IN_PLACE.has(node.op) && ending.some((buffer) => bytesOf(buffer) === made);
    most = Math.max(most, live + (takesOver ? 0 : made));
    live += made - total(ending);
  }
  const leaves = (op: "input" | "constant"): number => total(order.filter((node) => node.op === op));
  return { activations: most, inputs: leaves("input"), constants: leaves("constant") };
}

const isLeaf = ({ inputs }: Node): boolean => inputs.length === 0;
const total = (values: readonly Node[]): number => values.reduce((bytes, value) => bytes + bytesOf(value), 0);

/** The node whose memory each node's value lies in. */
function buffersOf(order: readonly Node[]): Map<Node, Node> {
  const buffers = new Map<Node, Node>();
  for (const node of order) {
    const source = ALIASES.has(node.op) ? at(node.inputs, 0) : node;
    buffers.set(node, buffers.get(source) ?? source);
  }
  return buffers;
}

/** Which of the buffers that the operator of a step reads are computed values that nothing reads later. */
function endingAt(step: number, read: readonly Node[], lastUse: ReadonlyMap<Node, number>): Node[] {
  return [...new Set(read)].filter((buffer) => !isLeaf(buffer) && lastUse.get(buffer) === step);
}
