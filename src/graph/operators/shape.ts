import { at, invariant } from "../../math/error.ts";
import { sameShape, shapeText, sizeOf, type Shape } from "../../tensor/tensor.ts";
import { broadcastData, broadcastShapes, walk } from "../broadcasting.ts";
import type { ValueType } from "../node.ts";
import {
  Mismatch,
  areCounts,
  requireAxis,
  requireExtents,
  type HostValue,
  type Operator,
  type Operators,
} from "../operator.ts";

type ShapeOp = "reshape" | "broadcast" | "transpose" | "slice" | "pad" | "concat" | "split";

function first<T>(inputs: readonly T[]): T {
  return at(inputs, 0);
}

/** Row-major strides of a dense array. */
function denseStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = at(strides, axis + 1) * at(shape, axis + 1);
  return strides;
}

/** Where the element at index `start` lies in an array of such strides: the first element of a window. */
const windowOffset = (start: readonly number[], strides: readonly number[]): number =>
  start.reduce((offset, value, axis) => offset + value * at(strides, axis), 0);

const reshape: Operator<"reshape"> = {
  infer: ([x], { shape }) => {
    invariant(x, "reshape needs an input");
    requireExtents(shape);
    if (sizeOf(x.shape) !== sizeOf(shape))
      throw new Mismatch(`${sizeOf(x.shape)} elements do not fill ${shapeText(shape)}`);
    return { dtype: x.dtype, shape };
  },
  evaluate: ([x]) => (x as HostValue).data,
  derivative: (dy, node, build) => [build.reshape(dy, first(node.inputs).shape)],
  lower: (emit, inputs, node) => emit.node("Reshape", [...inputs, emit.ints(node.shape)]),
};

const broadcast: Operator<"broadcast"> = {
  infer: ([x], { shape }) => {
    invariant(x, "broadcast needs an input");
    requireExtents(shape);
    if (!sameShape(broadcastShapes(x.shape, shape), shape))
      throw new Mismatch(`does not broadcast to ${shapeText(shape)}`);
    return { dtype: x.dtype, shape };
  },
  evaluate: ([x], { shape }) => broadcastData(x as HostValue, shape),
  derivative: (dy, node, build) => [build.sumTo(dy, first(node.inputs).shape)],
  lower: (emit, inputs, node) => emit.node("Expand", [...inputs, emit.ints(node.shape)]),
};

const transpose: Operator<"transpose"> = {
  infer: ([x], { order }) => {
    invariant(x, "transpose needs an input");
    const sorted = [...order].sort((a, b) => a - b);
    if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new Mismatch(`order ${shapeText(order)} is no permutation of the axes`);
    }
    return { dtype: x.dtype, shape: order.map((axis) => at(x.shape, axis)) };
  },
  evaluate: ([x], { order }, { shape }) => {
    const { data, shape: source } = x as HostValue;
    const strides = denseStrides(source);
    const out = new Float64Array(data.length);
    const moved = order.map((axis) => at(strides, axis));
    walk(shape, moved, (linear, offset) => {
      out[linear] = data[offset] ?? 0;
    });
    return out;
  },
  derivative: (dy, node, build) => {
    const inverse = node.attributes.order.map((_, axis) => node.attributes.order.indexOf(axis));
    return [build.transpose(dy, inverse)];
  },
  lower: (emit, inputs, node) => emit.node("Transpose", inputs, { perm: { ints: node.attributes.order } }),
};

const slice: Operator<"slice"> = {
  infer: ([x], { starts, ends }) => {
    invariant(x, "slice needs an input");
    const fits = (extent: number, axis: number): boolean => {
      const [start, end] = [starts[axis] ?? -1, ends[axis] ?? -1];
      return areCounts([start, end]) && start < end && end <= extent;
    };
    if (starts.length !== x.shape.length || ends.length !== x.shape.length || !x.shape.every(fits)) {
      throw new Mismatch(`window ${shapeText(starts)} to ${shapeText(ends)} does not lie inside`);
    }
    return { dtype: x.dtype, shape: starts.map((start, axis) => at(ends, axis) - start) };
  },
  evaluate: ([x], { starts }, { shape }) => {
    const { data, shape: source } = x as HostValue;
    const strides = denseStrides(source);
    const out = new Float64Array(sizeOf(shape));
    walk(
      shape,
      strides,
      (linear, offset) => {
        out[linear] = data[offset] ?? 0;
      },
      windowOffset(starts, strides),
    );
    return out;
  },
  derivative: (dy, node, build) => {
    const { starts, ends } = node.attributes;
    const { shape } = first(node.inputs);
    return [
      build.pad(
        dy,
        starts,
        shape.map((extent, axis) => extent - at(ends, axis)),
      ),
    ];
  },
  lower: (emit, inputs, node) => {
    const { starts, ends } = node.attributes;
    const cut = starts
      .map((_, axis) => axis)
      .filter((axis) => at(first(node.inputs).shape, axis) !== at(node.shape, axis));
    const pick = (values: readonly number[]): string => emit.ints(cut.map((axis) => at(values, axis)));
    return emit.node("Slice", [...inputs, pick(starts), pick(ends), emit.ints(cut)]);
  },
};

const pad: Operator<"pad"> = {
  infer: ([x], { before, after }) => {
    invariant(x, "pad needs an input");
    if (x.dtype !== "float32") throw new Mismatch(`expected float32, got ${x.dtype}`);
    if (!areCounts([...before, ...after]) || before.length !== x.shape.length || after.length !== x.shape.length) {
      throw new Mismatch(`padding ${shapeText(before)} before and ${shapeText(after)} after does not fit`);
    }
    return { dtype: x.dtype, shape: x.shape.map((extent, axis) => at(before, axis) + extent + at(after, axis)) };
  },
  evaluate: ([x], { before }, { shape }) => {
    const { data, shape: source } = x as HostValue;
    const strides = denseStrides(shape);
    const out = new Float64Array(sizeOf(shape));
    walk(
      source,
      strides,
      (linear, offset) => {
        out[offset] = data[linear] ?? 0;
      },
      windowOffset(before, strides),
    );
    return out;
  },
  derivative: (dy, node, build) => {
    const { before } = node.attributes;
    const { shape } = first(node.inputs);
    return [
      build.slice(
        dy,
        before,
        shape.map((extent, axis) => at(before, axis) + extent),
      ),
    ];
  },
  lower: (emit, inputs, node) =>
    emit.node("Pad", [...inputs, emit.ints([...node.attributes.before, ...node.attributes.after])]),
};

function inferConcat(inputs: readonly ValueType[], axis: number): ValueType {
  if (inputs.length === 0) throw new Mismatch("at least one part is needed");
  const { shape, dtype } = first(inputs);
  requireAxis(axis, shape.length);
  for (const input of inputs) {
    const fits =
      input.shape.length === shape.length && input.shape.every((extent, a) => a === axis || extent === shape[a]);
    if (!fits || input.dtype !== dtype) throw new Mismatch(`parts differ outside axis ${axis}`);
  }
  const total = inputs.reduce((sum, input) => sum + at(input.shape, axis), 0);
  return { dtype, shape: shape.map((extent, a) => (a === axis ? total : extent)) };
}

/** `shape` with `extent` along `axis`. */
const withExtent = (shape: Shape, axis: number, extent: number): number[] =>
  shape.map((original, a) => (a === axis ? extent : original));

const concat: Operator<"concat"> = {
  infer: (inputs, { axis }) => inferConcat(inputs, axis),
  evaluate: (inputs, { axis }, { shape }) => {
    const strides = denseStrides(shape);
    const out = new Float64Array(sizeOf(shape));
    let start = 0;
    for (const { shape: part, data } of inputs) {
      walk(
        part,
        strides,
        (linear, offset) => {
          out[offset] = data[linear] ?? 0;
        },
        start,
      );
      start += at(part, axis) * at(strides, axis);
    }
    return out;
  },
  derivative: (dy, node, build) => {
    const { axis } = node.attributes;
    return build.split(
      dy,
      axis,
      node.inputs.map((input) => at(input.shape, axis)),
    );
  },
  lower: (emit, inputs, node) => emit.node("Concat", inputs, { axis: { int: node.attributes.axis } }),
};

const offsetOf = (sizes: readonly number[], part: number): number => sizes.slice(0, part).reduce((a, b) => a + b, 0);

/** One part of a split; the parts of one split share `sizes` and so one ONNX Split. WebGPU gets slices: it allows few outputs. */
const split: Operator<"split"> = {
  infer: ([x], { axis, sizes, part }) => {
    invariant(x, "split needs an input");
    requireAxis(axis, x.shape.length);
    requireExtents(sizes);
    const total = sizes.reduce((a, b) => a + b, 0);
    if (x.shape[axis] !== total) throw new Mismatch(`sizes ${shapeText(sizes)} do not add up to axis ${axis}`);
    return { dtype: x.dtype, shape: withExtent(x.shape, axis, at(sizes, part)) };
  },
  evaluate: ([x], { axis, sizes, part }, { dtype, shape }) => {
    const value = x as HostValue;
    const starts = withExtent(
      shape.map(() => 0),
      axis,
      offsetOf(sizes, part),
    );
    const ends = starts.map((start, a) => start + at(shape, a));
    return slice.evaluate([value], { starts, ends }, { dtype, shape });
  },
  derivative: (dy, node, build) => {
    const { axis, sizes, part } = node.attributes;
    const none = node.shape.map(() => 0);
    const before = offsetOf(sizes, part);
    const after = offsetOf(sizes, sizes.length) - before - at(sizes, part);
    return [build.pad(dy, withExtent(none, axis, before), withExtent(none, axis, after))];
  },
  lower: (emit, inputs, node) => {
    const { axis, sizes, part } = node.attributes;
    if (emit.target !== "cpu") {
      const start = offsetOf(sizes, part);
      const window = [[start], [start + at(sizes, part)], [axis]].map((values) => emit.ints(values));
      return emit.node("Slice", [...inputs, ...window]);
    }
    const parts = emit.once(sizes, `${first(inputs)}/${axis}`, () =>
      emit.nodes("Split", [...inputs, emit.ints(sizes)], sizes.length, { axis: { int: axis } }),
    );
    return at(parts, part);
  },
};

export const shapeOperators: Operators<ShapeOp> = { reshape, broadcast, transpose, slice, pad, concat, split };
