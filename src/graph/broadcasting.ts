import { sizeOf, type Shape } from "../tensor/tensor.ts";
import { Mismatch, type HostValue } from "./operator.ts";

/** The shape that NumPy broadcasting gives two shapes: aligned at the end, extents equal or 1. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Mismatch(`extents ${x} and ${y} do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Row-major strides of `shape` seen from `target`, 0 along broadcast axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = new Array<number>(target.length).fill(0);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1;
    if (extent !== 1) strides[axis + target.length - shape.length] = stride;
    stride *= extent;
  }
  return strides;
}

/** Calls `visit(linear, offset)` for every element of `shape` in row-major order; `offset` walks `strides` from `start`. */
export function walk(
  shape: Shape,
  strides: readonly number[],
  visit: (linear: number, offset: number) => void,
  start = 0,
): void {
  const size = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let linear = 0; linear < size; linear++) {
    visit(linear, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      offset += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 1)) {
        index[axis] = next;
        break;
      }
      offset -= next * (strides[axis] ?? 0);
      index[axis] = 0;
    }
  }
}

/** `value` repeated to `shape`. */
export function broadcastData(value: HostValue, shape: Shape): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  walk(shape, broadcastStrides(value.shape, shape), (linear, offset) => {
    out[linear] = value.data[offset] ?? 0;
  });
  return out;
}
