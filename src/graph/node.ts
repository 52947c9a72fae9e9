import { UnnoiseError } from "../math/error.ts";
import type { Shape } from "../tensor/tensor.ts";

/** Element types inside a graph. */
export type GraphDType = "float32" | "int32" | "bool";

/** What is known of a value before anything runs. */
export interface ValueType {
  readonly dtype: GraphDType;
  readonly shape: Shape;
}

interface Axes {
  readonly axes: readonly number[];
}
type None = Readonly<Record<string, never>>;

/** How a kernel moves over an image: `padding` is [top, left, bottom, right]. */
export interface Convolution {
  readonly stride: number;
  readonly padding: readonly number[];
  readonly groups: number;
}

/** Every operator with its attributes. A name added here does not compile until the operator table has its row. */
export interface Attributes {
  input: { readonly name: string; readonly type: ValueType };
  constant: { readonly type: ValueType; readonly data: Float64Array };
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  sin: None;
  cos: None;
  tanh: None;
  sigmoid: None;
  erf: None;
  silu: None;
  abs: None;
  add: None;
  sub: None;
  mul: None;
  div: None;
  minimum: None;
  maximum: None;
  equal: None;
  less: None;
  greater: None;
  where: None;
  cast: { readonly to: GraphDType };
  detach: None;
  checkpoint: None;
  gate: None;
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  gemm: { readonly transposeA: boolean; readonly transposeB: boolean };
  sum: Axes;
  reduceMax: Axes;
  gather: None;
  scatterAdd: { readonly rows: number };
  reshape: { readonly shape: Shape };
  broadcast: { readonly shape: Shape };
  transpose: { readonly order: readonly number[] };
  slice: { readonly starts: readonly number[]; readonly ends: readonly number[] };
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  concat: { readonly axis: number };
  split: { readonly axis: number; readonly sizes: readonly number[]; readonly part: number };
  softmax: { readonly axis: number };
  conv: Convolution;
  convInputGrad: Convolution & { readonly size: readonly number[] };
  convWeightGrad: Convolution & { readonly kernel: readonly number[] };
  normalise: {
    readonly firstAxis: number;
    readonly epsilon: number;
    readonly part: "value" | "inverseDeviation";
  };
  upsample: { readonly factor: number };
  averagePool: { readonly size: number };
}
export type OpName = keyof Attributes;

/** One value of the graph: an operator applied to other values. Edges are object identity; nodes never change. */
export interface Node<K extends OpName = OpName> extends ValueType {
  readonly op: K;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes[K];
  /** Where it was built, as `scope/…/op`: what error messages show. */
  readonly path: string;
}

/** A graph that cannot be: says operator, shapes and the node's path. */
export class GraphError extends UnnoiseError {
  override readonly name: string = "GraphError";
  readonly path: string;

  constructor(path: string, message: string) {
    super("graph", `${path}: ${message}`);
    this.path = path;
  }
}

const scopes: string[] = [];

/** Builds with `name` added to the path of every node made by `build`. */
export function scope<T>(name: string, build: () => T): T {
  scopes.push(name);
  try {
    return build();
  } finally {
    scopes.pop();
  }
}

/** The path that a node of operator `op` made now would have. */
export function pathOf(op: OpName): string {
  return [...scopes, op].join("/");
}

/** Whether `node` is an application of operator `op`. */
export function isOp<K extends OpName>(node: Node, op: K): node is Node<K> {
  return node.op === op;
}
