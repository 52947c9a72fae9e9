import { at, invariant } from "../../math/error.ts";
import { erf } from "../../math/special.ts";
import { broadcastData, broadcastShapes } from "../broadcasting.ts";
import type { GraphDType, Node, OpName, ValueType } from "../node.ts";
import { Mismatch, type Builders, type Operator, type Operators } from "../operator.ts";

type UnaryName = "neg" | "exp" | "log" | "sqrt" | "sin" | "cos" | "tanh" | "sigmoid" | "erf" | "silu" | "abs";
type BinaryName = "add" | "sub" | "mul" | "div" | "minimum" | "maximum";
type CompareName = "equal" | "less" | "greater";

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function requireDtype(value: ValueType | undefined, dtype: GraphDType): ValueType {
  invariant(value, "operator has too few inputs");
  if (value.dtype !== dtype) throw new Mismatch(`expected ${dtype}, got ${value.dtype}`);
  return value;
}

/** An operator on each element: `f` on the host, `onnx` in the graph, and dL/dx from dL/dy, x and y. */
function unary<K extends UnaryName>(
  f: (x: number) => number,
  onnx: string,
  dx: (dy: Node, x: Node, y: Node, build: Builders) => Node,
): Operator<K> {
  return {
    infer: ([x]) => requireDtype(x, "float32"),
    evaluate: ([x]) => {
      invariant(x, "unary operator needs an input");
      return x.data.map(f);
    },
    derivative: (dy, node, build) => [dx(dy, at(node.inputs, 0), node, build)],
    lower: (emit, inputs) => emit.node(onnx, inputs),
  };
}

function inferBinary([a, b]: readonly ValueType[], dtype?: GraphDType): ValueType {
  invariant(a && b, "binary operator needs two inputs");
  if (a.dtype !== b.dtype || a.dtype === "bool") throw new Mismatch(`element types ${a.dtype} and ${b.dtype}`);
  return { dtype: dtype ?? a.dtype, shape: broadcastShapes(a.shape, b.shape) };
}

type Scalar = (a: number, b: number) => number;

/** Two values element by element, with broadcasting; the derivative sums over what was broadcast. */
function binary<K extends OpName>(
  f: Scalar,
  onnx: string,
  partials: ((dy: Node, a: Node, b: Node, build: Builders, y: Node) => readonly [Node, Node]) | null,
  result?: GraphDType,
  onIntegers: Scalar = (a, b) => f(a, b) | 0,
): Operator<K> {
  return {
    infer: (inputs) => inferBinary(inputs, result),
    evaluate: ([a, b], _, { dtype, shape }) => {
      invariant(a && b, "binary operator needs two inputs");
      const right = broadcastData(b, shape);
      const combine = dtype === "int32" ? onIntegers : f;
      return broadcastData(a, shape).map((x, i) => combine(x, right[i] ?? 0));
    },
    derivative:
      partials &&
      ((dy, node, build) => {
        const [a, b] = [at(node.inputs, 0), at(node.inputs, 1)];
        const [da, db] = partials(dy, a, b, build, node);
        return [build.sumTo(da, a.shape), build.sumTo(db, b.shape)];
      }),
    lower: (emit, inputs) => emit.node(onnx, inputs),
  };
}

const unaryOperators: Operators<UnaryName> = {
  neg: unary(
    (x) => -x,
    "Neg",
    (dy, _x, _y, { neg }) => neg(dy),
  ),
  exp: unary(Math.exp, "Exp", (dy, _x, y, { mul }) => mul(dy, y)),
  log: unary(Math.log, "Log", (dy, x, _y, { div }) => div(dy, x)),
  sqrt: unary(Math.sqrt, "Sqrt", (dy, _x, y, { div, mul }) => div(mul(dy, 0.5), y)),
  sin: unary(Math.sin, "Sin", (dy, x, _y, { mul, cos }) => mul(dy, cos(x))),
  cos: unary(Math.cos, "Cos", (dy, x, _y, { mul, neg, sin }) => neg(mul(dy, sin(x)))),
  tanh: unary(Math.tanh, "Tanh", (dy, _x, y, { mul, sub }) => mul(dy, sub(1, mul(y, y)))),
  sigmoid: unary(sigmoid, "Sigmoid", (dy, _x, y, { mul, sub }) => mul(dy, mul(y, sub(1, y)))),
  erf: unary(erf, "Erf", (dy, x, _y, { mul, exp, neg }) => mul(mul(dy, TWO_OVER_SQRT_PI), exp(neg(mul(x, x))))),
  abs: unary(Math.abs, "Abs", (dy, x, _y, { where, greater, less, neg }) =>
    where(greater(x, 0), dy, where(less(x, 0), neg(dy), 0)),
  ),
  silu: {
    ...unary<"silu">(
      (x) => x * sigmoid(x),
      "Silu",
      // d(x·s)/dx = s + x·s·(1 − s) = s + y − y·s with s = σ(x) and y = x·s.
      (dy, x, y, { mul, add, sub, sigmoid: s }) => mul(dy, add(y, mul(s(x), sub(1, y)))),
    ),
    lower: (emit, inputs) =>
      emit.target === "cpu"
        ? emit.node("QuickGelu", inputs, { alpha: { float: 1 } }, "com.microsoft")
        : emit.node("Mul", [...inputs, emit.node("Sigmoid", inputs)]),
  },
};

/** Where the first wins the gradient flows to a, elsewhere (ties included) to b. */
const selectPartials =
  (wins: "less" | "greater") =>
  (dy: Node, a: Node, b: Node, build: Builders): readonly [Node, Node] => {
    const first = build[wins](a, b);
    return [build.where(first, dy, 0), build.where(first, 0, dy)];
  };

const binaryOperators: Operators<BinaryName | CompareName> = {
  add: binary(
    (a, b) => a + b,
    "Add",
    (dy) => [dy, dy],
  ),
  sub: binary(
    (a, b) => a - b,
    "Sub",
    (dy, _a, _b, { neg }) => [dy, neg(dy)],
  ),
  mul: binary(
    (a, b) => a * b,
    "Mul",
    (dy, a, b, { mul }) => [mul(dy, b), mul(dy, a)],
    undefined,
    Math.imul,
  ),
  div: binary(
    (a, b) => a / b,
    "Div",
    (dy, _a, b, { div, mul, neg }, y) => {
      const da = div(dy, b);
      return [da, neg(mul(da, y))];
    },
  ),
  minimum: binary(Math.min, "Min", selectPartials("less")),
  maximum: binary(Math.max, "Max", selectPartials("greater")),
  equal: binary((a, b) => (a === b ? 1 : 0), "Equal", null, "bool"),
  less: binary((a, b) => (a < b ? 1 : 0), "Less", null, "bool"),
  greater: binary((a, b) => (a > b ? 1 : 0), "Greater", null, "bool"),
};

const where: Operator<"where"> = {
  infer: ([condition, a, b]) => {
    requireDtype(condition, "bool");
    invariant(condition && a && b, "where needs three inputs");
    const chosen = inferBinary([a, b]);
    return { dtype: chosen.dtype, shape: broadcastShapes(condition.shape, chosen.shape) };
  },
  evaluate: (inputs, _, { shape }) => {
    const [condition, a, b] = inputs.map((input) => broadcastData(input, shape));
    return Float64Array.from(condition ?? [], (chosen, i) => (chosen ? a?.[i] : b?.[i]) ?? 0);
  },
  derivative: (dy, node, build) => {
    const [condition, a, b] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
    return [
      undefined,
      build.sumTo(build.where(condition, dy, 0), a.shape),
      build.sumTo(build.where(condition, 0, dy), b.shape),
    ];
  },
  lower: (emit, inputs) => emit.node("Where", inputs),
};

const cast: Operator<"cast"> = {
  infer: ([x], { to }) => {
    invariant(x, "cast needs an input");
    return { dtype: to, shape: x.shape };
  },
  evaluate: ([x], { to }) => {
    invariant(x, "cast needs an input");
    if (to === "bool") return x.data.map((value) => (value === 0 ? 0 : 1));
    return to === "int32" ? x.data.map(Math.trunc) : x.data;
  },
  derivative: (dy, node) => [at(node.inputs, 0).dtype === "float32" && node.dtype === "float32" ? dy : undefined],
  lower: (emit, inputs, node) => emit.node("Cast", inputs, { to: { dtype: node.attributes.to } }),
};

export const elementwiseOperators: Operators<UnaryName | BinaryName | CompareName | "where" | "cast"> = {
  ...unaryOperators,
  ...binaryOperators,
  where,
  cast,
};
