import { sameShape, shapeText, sizeOf, type Shape } from "../tensor/tensor.ts";
import {
  GraphError,
  pathOf,
  type Attributes,
  type GraphDType,
  type Node,
  type OpName,
  type ValueType,
} from "./node.ts";
import { operators } from "./operator-table.ts";
import { Mismatch } from "./operator.ts";

/** A node, or a number that becomes a scalar constant. */
export type Operand = Node | number;

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
    throw new GraphError(path, `${op} of ${shapes}: ${error.message}`);
  }
}

/** A value fed at every run, by `name`. */
export function input(name: string, shape: Shape, dtype: GraphDType = "float32"): Node<"input"> {
  return apply("input", [], { name, type: { dtype, shape } });
}

/**
 * A value known now: a number, or `data` with `shape`, row by row.
 * @throws GraphError when the number of values is not that of `shape`, or an int32 value is no integer
 */
export function constant(data: ArrayLike<number> | number, shape: Shape = [], dtype: GraphDType = "float32"): Node {
  const values = Float64Array.from(typeof data === "number" ? [data] : data);
  if (values.length !== sizeOf(shape)) {
    throw new GraphError(
      pathOf("constant"),
      `shape ${shapeText(shape)} needs ${sizeOf(shape)} values, got ${values.length}`,
    );
  }
  const fraction = dtype === "int32" ? values.find((value) => value !== (value | 0)) : undefined;
  if (fraction !== undefined) throw new GraphError(pathOf("constant"), `expected int32 values, got ${fraction}`);
  return apply("constant", [], { type: { dtype, shape }, data: values });
}

const toNode = (operand: Operand, like?: ValueType): Node =>
  typeof operand === "number" ? constant(operand, [], like?.dtype ?? "float32") : operand;

type Unary = (x: Node) => Node;
type Binary = (a: Operand, b: Operand) => Node;

const unary =
  (op: "neg" | "exp" | "log" | "sqrt" | "sin" | "cos" | "tanh" | "sigmoid" | "erf" | "silu" | "abs"): Unary =>
  (x) =>
    apply(op, [x], {});

const binary =
  (op: "add" | "sub" | "mul" | "div" | "minimum" | "maximum" | "equal" | "less" | "greater"): Binary =>
  (a, b) => {
    const like = typeof a === "number" ? (typeof b === "number" ? undefined : b) : a;
    return apply(op, [toNode(a, like), toNode(b, like)], {});
  };

export const neg: Unary = unary("neg");
export const exp: Unary = unary("exp");
export const log: Unary = unary("log");
export const sqrt: Unary = unary("sqrt");
export const sin: Unary = unary("sin");
export const cos: Unary = unary("cos");
export const tanh: Unary = unary("tanh");
export const sigmoid: Unary = unary("sigmoid");
export const erf: Unary = unary("erf");
/** SiLU, x·σ(x) (Elfwing et al. 2018, arXiv 1702.03118), also called swish. */
export const silu: Unary = unary("silu");
export const abs: Unary = unary("abs");
export const add: Binary = binary("add");
export const sub: Binary = binary("sub");
export const mul: Binary = binary("mul");
export const div: Binary = binary("div");
export const minimum: Binary = binary("minimum");
export const maximum: Binary = binary("maximum");
export const equal: Binary = binary("equal");
export const less: Binary = binary("less");
export const greater: Binary = binary("greater");

/** a where `condition` holds, else b. */
export function where(condition: Node, a: Operand, b: Operand): Node {
  const like = typeof a === "number" ? (typeof b === "number" ? undefined : b) : a;
  return apply("where", [condition, toNode(a, like), toNode(b, like)], {});
}

/** Changes the element type. */
export function cast(x: Node, to: GraphDType): Node {
  return x.dtype === to ? x : apply("cast", [x], { to });
}

/** Exact GELU, x·Φ(x) (Hendrycks & Gimpel 2016, arXiv 1606.08415). */
export function gelu(x: Node): Node {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
}

/** op(a)·op(b) over the last two axes, with leading axes broadcast. */
export function matmul(
  a: Node,
  b: Node,
  { transposeA = false, transposeB = false }: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {},
): Node<"matmul"> {
  return apply("matmul", [a, b], { transposeA, transposeB });
}

/** op(a)·op(b) + c for matrices, in one kernel. */
export function gemm(a: Node, b: Node, c: Node, attributes: Attributes["gemm"]): Node {
  return apply("gemm", [a, b, c], attributes);
}

interface Reduction {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

function reduction(op: "sum" | "reduceMax", x: Node, { axes, keepDims = false }: Reduction): Node {
  const over = axes ?? x.shape.map((_, axis) => axis);
  const reduced = over.length === 0 ? x : apply(op, [x], { axes: over });
  return keepDims
    ? reduced
    : reshape(
        reduced,
        x.shape.filter((_, axis) => !over.includes(axis)),
      );
}

/** Sum over `axes` (default: all). */
export function sum(x: Node, options: Reduction = {}): Node {
  return reduction("sum", x, options);
}

/** Mean over `axes` (default: all). */
export function mean(x: Node, options: Reduction = {}): Node {
  const total = sum(x, options);
  return mul(total, sizeOf(total.shape) / sizeOf(x.shape));
}

/** Largest value over `axes` (default: all). */
export function reduceMax(x: Node, options: Reduction = {}): Node {
  return reduction("reduceMax", x, options);
}

/** exp(x)/Σ exp(x) along `axis`. */
export function softmax(x: Node, axis: number): Node {
  return apply("softmax", [x], { axis });
}

/** Rows `indices` [N] of `table` [R, …]. */
export function gather(table: Node, indices: Node): Node {
  return apply("gather", [table, indices], {});
}

/** A table [rows, …] that holds at each row the sum of the `updates` [N, …] whose index it is. */
export function scatterAdd(updates: Node, indices: Node, rows: number): Node {
  return apply("scatterAdd", [updates, indices], { rows });
}

/** The same elements in another shape. */
export function reshape(x: Node, shape: Shape): Node {
  return sameShape(x.shape, shape) ? x : apply("reshape", [x], { shape });
}

/** `x` repeated to `shape`. */
export function broadcastTo(x: Node, shape: Shape): Node {
  return sameShape(x.shape, shape) ? x : apply("broadcast", [x], { shape });
}

/** The transpose of broadcasting: sums `x` down to `shape`. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const extra = x.shape.length - shape.length;
  const axes = x.shape.flatMap((extent, axis) =>
    axis < extra || (shape[axis - extra] === 1 && extent !== 1) ? [axis] : [],
  );
  return reshape(sum(x, { axes, keepDims: true }), shape);
}

/** Axes in another `order` (default: reversed). */
export function transpose(x: Node, order: readonly number[] = x.shape.map((_, axis) => axis).reverse()): Node {
  return apply("transpose", [x], { order });
}

/** The window from `starts` (included) to `ends` (excluded), one of each per axis. */
export function slice(x: Node, starts: readonly number[], ends: readonly number[]): Node {
  return apply("slice", [x], { starts, ends });
}

/** `x` with zeros around it. */
export function pad(x: Node, before: readonly number[], after: readonly number[]): Node {
  return apply("pad", [x], { before, after });
}

/** Parts joined along `axis`. */
export function concat(parts: readonly Node[], axis: number): Node {
  return apply("concat", parts, { axis });
}

/** Consecutive parts of `sizes` along `axis`. */
export function split(x: Node, axis: number, sizes: readonly number[]): Node[] {
  return sizes.map((_, part) => apply("split", [x], { axis, sizes, part }));
}
