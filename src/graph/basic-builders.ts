import { sameShape, shapeText, sizeOf, type Shape } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { GraphError, pathOf, type Attributes, type GraphDType, type Node, type ValueType } from "./node.ts";

/** A node, or a number that becomes a scalar constant. */
export type Operand = Node | number;

/**
 * A value fed at every run, by `name`.
 * @throws GraphError for an empty name, or extents that are no integers ≥ 0
 */
export function input(name: string, shape: Shape, dtype: GraphDType = "float32"): Node<"input"> {
  return apply("input", [], { name, type: { dtype, shape } });
}

/**
 * A value known now: a number, or `data` with `shape`, row by row.
 * @throws GraphError when the number of values is not that of `shape`, an int32 value is no integer, or extents are no
 * integers ≥ 0
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

/**
 * −x, element by element.
 * @throws GraphError when x is not float32
 */
export const neg: Unary = unary("neg");
/**
 * eˣ, element by element.
 * @throws GraphError when x is not float32
 */
export const exp: Unary = unary("exp");
/**
 * ln x, element by element: −∞ at 0, NaN below.
 * @throws GraphError when x is not float32
 */
export const log: Unary = unary("log");
/**
 * √x, element by element: NaN below 0.
 * @throws GraphError when x is not float32
 */
export const sqrt: Unary = unary("sqrt");
/**
 * sin x, x in radians, element by element.
 * @throws GraphError when x is not float32
 */
export const sin: Unary = unary("sin");
/**
 * cos x, x in radians, element by element.
 * @throws GraphError when x is not float32
 */
export const cos: Unary = unary("cos");
/**
 * tanh x = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ), element by element.
 * @throws GraphError when x is not float32
 */
export const tanh: Unary = unary("tanh");
/**
 * The logistic function σ(x) = 1/(1 + e⁻ˣ), element by element.
 * @throws GraphError when x is not float32
 */
export const sigmoid: Unary = unary("sigmoid");
/**
 * The error function erf x = 2/√π ∫₀ˣ e^(−u²) du, element by element.
 * @throws GraphError when x is not float32
 */
export const erf: Unary = unary("erf");
/**
 * SiLU, x·σ(x) (Elfwing et al. 2018, arXiv 1702.03118), also called swish.
 * @throws GraphError when x is not float32
 */
export const silu: Unary = unary("silu");
/**
 * |x|, element by element; its derivative at 0 is 0.
 * @throws GraphError when x is not float32
 */
export const abs: Unary = unary("abs");
/**
 * a + b, broadcast.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const add: Binary = binary("add");
/**
 * a − b, broadcast.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const sub: Binary = binary("sub");
/**
 * a·b, element by element, broadcast.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const mul: Binary = binary("mul");
/**
 * a/b, broadcast; int32 drops the fraction.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const div: Binary = binary("div");
/**
 * min(a, b), broadcast; the gradient of a tie goes to b.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const minimum: Binary = binary("minimum");
/**
 * max(a, b), broadcast; the gradient of a tie goes to b.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const maximum: Binary = binary("maximum");
/**
 * Whether a = b, as bool, broadcast.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const equal: Binary = binary("equal");
/**
 * Whether a < b, as bool, broadcast.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const less: Binary = binary("less");
/**
 * Whether a > b, as bool, broadcast.
 * @throws GraphError when the shapes do not broadcast, or the element types differ or are bool
 */
export const greater: Binary = binary("greater");

/**
 * a where `condition` holds, else b.
 * @throws GraphError when the condition is not bool, or a and b do not fit each other or it
 */
export function where(condition: Node, a: Operand, b: Operand): Node {
  const like = typeof a === "number" ? (typeof b === "number" ? undefined : b) : a;
  return apply("where", [condition, toNode(a, like), toNode(b, like)], {});
}

/** Changes the element type. */
export function cast(x: Node, to: GraphDType): Node {
  return x.dtype === to ? x : apply("cast", [x], { to });
}

/**
 * x as it is, but a constant to `grad`: no gradient flows into it.
 * @throws GraphError when x is not float32
 */
export function detach(x: Node): Node {
  return apply("detach", [x], {});
}

/**
 * x as it is, marked as the border between two segments: what lies between borders `grad` can compute a second time instead of
 * keeping it (Chen et al. 2016, arXiv 1604.06174).
 * @throws GraphError when x is not float32
 */
export function checkpoint(x: Node): Node {
  return apply("checkpoint", [x], {});
}

/**
 * x as it is, computed only after all of `others`.
 * @throws GraphError when one of them is not float32, or there are no others
 */
export function gate(x: Node, others: readonly Node[]): Node {
  return apply("gate", [x, ...others], {});
}

/**
 * Exact GELU, x·Φ(x) (Hendrycks & Gimpel 2016, arXiv 1606.08415).
 * @throws GraphError when x is not float32
 */
export function gelu(x: Node): Node {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
}

/**
 * op(a)·op(b) over the last two axes, with leading axes broadcast.
 * @throws GraphError when a factor is not float32 or has fewer than 2 axes, or inner extents or leading axes do not fit
 */
export function matmul(
  a: Node,
  b: Node,
  { transposeA = false, transposeB = false }: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {},
): Node<"matmul"> {
  return apply("matmul", [a, b], { transposeA, transposeB });
}

/**
 * op(a)·op(b) + c for matrices, in one kernel.
 * @throws GraphError as `matmul`, or when c does not broadcast to the product
 */
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

/**
 * Sum over `axes` (default: all).
 * @throws GraphError when x is not float32, or an axis is not there or named twice
 */
export function sum(x: Node, options: Reduction = {}): Node {
  return reduction("sum", x, options);
}

/**
 * Mean over `axes` (default: all).
 * @throws GraphError when x is not float32, or an axis is not there or named twice
 */
export function mean(x: Node, options: Reduction = {}): Node {
  const total = sum(x, options);
  return mul(total, sizeOf(total.shape) / sizeOf(x.shape));
}

/**
 * Largest value over `axes` (default: all).
 * @throws GraphError when x is not float32, or an axis is not there or named twice
 */
export function reduceMax(x: Node, options: Reduction = {}): Node {
  return reduction("reduceMax", x, options);
}

/**
 * exp(x)/Σ exp(x) along `axis`.
 * @throws GraphError when x is not float32 or has no such axis
 */
export function softmax(x: Node, axis: number): Node {
  return apply("softmax", [x], { axis });
}

/**
 * Rows `indices` [N] of `table` [R, …].
 * @throws GraphError when `indices` is not int32 [N], or the table is a scalar
 */
export function gather(table: Node, indices: Node): Node {
  return apply("gather", [table, indices], {});
}

/**
 * A table [rows, …] that holds at each row the sum of the `updates` [N, …] whose index it is.
 * @throws GraphError when `indices` is not int32 [N], or `updates` is not float32 [N, …]
 */
export function scatterAdd(updates: Node, indices: Node, rows: number): Node {
  return apply("scatterAdd", [updates, indices], { rows });
}

/**
 * The same elements in another shape.
 * @throws GraphError when `shape` holds another number of elements
 */
export function reshape(x: Node, shape: Shape): Node {
  return sameShape(x.shape, shape) ? x : apply("reshape", [x], { shape });
}

/**
 * `x` repeated to `shape`.
 * @throws GraphError when x does not broadcast to `shape`
 */
export function broadcastTo(x: Node, shape: Shape): Node {
  return sameShape(x.shape, shape) ? x : apply("broadcast", [x], { shape });
}

/**
 * The transpose of broadcasting: sums `x` down to `shape`.
 * @throws GraphError when x is not float32, or `shape` does not broadcast to its shape
 */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const extra = x.shape.length - shape.length;
  const axes = x.shape.flatMap((extent, axis) =>
    axis < extra || (shape[axis - extra] === 1 && extent !== 1) ? [axis] : [],
  );
  return reshape(sum(x, { axes, keepDims: true }), shape);
}

/**
 * Axes in another `order` (default: reversed).
 * @throws GraphError when `order` is no permutation of the axes
 */
export function transpose(x: Node, order: readonly number[] = x.shape.map((_, axis) => axis).reverse()): Node {
  return apply("transpose", [x], { order });
}

/**
 * The window from `starts` (included) to `ends` (excluded), one of each per axis.
 * @throws GraphError when a bound is no integer, or the window is empty or not inside x
 */
export function slice(x: Node, starts: readonly number[], ends: readonly number[]): Node {
  return apply("slice", [x], { starts, ends });
}

/**
 * `x` with zeros around it.
 * @throws GraphError when x is not float32, or the counts are no integers ≥ 0, one of each per axis
 */
export function pad(x: Node, before: readonly number[], after: readonly number[]): Node {
  return apply("pad", [x], { before, after });
}

/**
 * Parts joined along `axis`.
 * @throws GraphError when there are no parts, or they differ in element type or outside `axis`
 */
export function concat(parts: readonly Node[], axis: number): Node {
  return apply("concat", parts, { axis });
}

/**
 * Consecutive parts of `sizes` along `axis`.
 * @throws GraphError when the sizes are no integers ≥ 0 that add up to the extent of `axis`
 */
export function split(x: Node, axis: number, sizes: readonly number[]): Node[] {
  return sizes.map((_, part) => apply("split", [x], { axis, sizes, part }));
}
