import { at, invariant } from "../../math/error.ts";
import { shapeText, sizeOf, type Shape } from "../../tensor/tensor.ts";
import { broadcastStrides, walk } from "../broadcasting.ts";
import type { ValueType } from "../node.ts";
import { Mismatch, requireAxis, type HostValue, type Operator, type Operators } from "../operator.ts";

interface Axes {
  readonly axes: readonly number[];
}

/** Reductions keep their axes with extent 1; `build.sum` and friends reshape them away on request. */
function inferReduction([x]: readonly ValueType[], { axes }: Axes): ValueType {
  invariant(x, "a reduction needs an input");
  if (x.dtype !== "float32") throw new Mismatch(`expected float32, got ${x.dtype}`);
  if (axes.length === 0 || new Set(axes).size !== axes.length)
    throw new Mismatch(`axes ${shapeText(axes)}: expected one or more, each once`);
  for (const axis of axes) requireAxis(axis, x.shape.length);
  return { dtype: x.dtype, shape: x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)) };
}

function reduce(x: HostValue, shape: Shape, first: number, combine: (a: number, b: number) => number): Float64Array {
  const out = new Float64Array(sizeOf(shape)).fill(first);
  walk(x.shape, broadcastStrides(shape, x.shape), (linear, offset) => {
    out[offset] = combine(out[offset] ?? 0, x.data[linear] ?? 0);
  });
  return out;
}

/**
 * Column sums of a matrix as a product with ones: ONNX Runtime's ReduceSum over the leading axis took 34 µs for [256, 128] where
 * the product takes a third of that.
 */
const isColumnSum = (shape: Shape, axes: readonly number[]): boolean =>
  shape.length === 2 && axes.length === 1 && axes[0] === 0 && at(shape, 1) > 1;

const sum: Operator<"sum"> = {
  infer: inferReduction,
  evaluate: ([x], _, { shape }) => {
    invariant(x, "sum needs an input");
    return reduce(x, shape, 0, (a, b) => a + b);
  },
  derivative: (dy, node, build) => [build.broadcastTo(dy, at(node.inputs, 0).shape)],
  lower: (emit, inputs, node) => {
    const { shape } = at(node.inputs, 0);
    if (emit.target === "cpu" && isColumnSum(shape, node.attributes.axes)) {
      const rows = at(shape, 0);
      return emit.node("MatMul", [emit.constant("float32", [1, rows], new Float64Array(rows).fill(1)), ...inputs]);
    }
    return emit.node("ReduceSum", [...inputs, emit.ints(node.attributes.axes)], { keepdims: { int: 1 } });
  },
};

const reduceMax: Operator<"reduceMax"> = {
  infer: inferReduction,
  evaluate: ([x], _, { shape }) => {
    invariant(x, "reduceMax needs an input");
    return reduce(x, shape, -Infinity, Math.max);
  },
  // Ties share the gradient equally, so that the sum over the axis is what flowed in.
  derivative: (dy, node, build) => {
    const x = at(node.inputs, 0);
    const hits = build.cast(build.equal(x, node), "float32");
    const count = build.sum(hits, { axes: node.attributes.axes, keepDims: true });
    return [build.mul(hits, build.div(dy, count))];
  },
  lower: (emit, inputs, node) =>
    emit.node("ReduceMax", [...inputs, emit.ints(node.attributes.axes)], { keepdims: { int: 1 } }),
};

const softmax: Operator<"softmax"> = {
  infer: ([x], { axis }) => {
    inferReduction(x ? [x] : [], { axes: [axis] });
    return at([x], 0) as ValueType;
  },
  evaluate: ([x], { axis }) => {
    invariant(x, "softmax needs an input");
    const reduced = x.shape.map((extent, a) => (a === axis ? 1 : extent));
    const largest = reduce(x, reduced, -Infinity, Math.max);
    const strides = broadcastStrides(reduced, x.shape);
    const out = new Float64Array(x.data.length);
    const total = new Float64Array(largest.length);
    walk(x.shape, strides, (linear, offset) => {
      out[linear] = Math.exp((x.data[linear] ?? 0) - (largest[offset] ?? 0));
      total[offset] = (total[offset] ?? 0) + (out[linear] ?? 0);
    });
    walk(x.shape, strides, (linear, offset) => {
      out[linear] = (out[linear] ?? 0) / (total[offset] ?? 1);
    });
    return out;
  },
  // dx = y ⊙ (dy − Σ dy ⊙ y).
  derivative: (dy, node, build) => {
    const { axis } = node.attributes;
    const inner = build.sum(build.mul(dy, node), { axes: [axis], keepDims: true });
    return [build.mul(node, build.sub(dy, inner))];
  },
  lower: (emit, inputs, node) => emit.node("Softmax", inputs, { axis: { int: node.attributes.axis } }),
};

export const reduceOperators: Operators<"sum" | "reduceMax" | "softmax"> = { sum, reduceMax, softmax };
