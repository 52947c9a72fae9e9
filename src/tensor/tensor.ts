import { UnnoiseError } from "../math/error.ts";

/** Extents of a tensor, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Element types that cross the border between host and graph. */
export interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
}
export type DType = keyof TypedArrays;

/** A dense, row-major array in host memory. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: TypedArrays[D];
}

/** A set of points or images as float32 `[count, …D]`: what datasets give and samplers return. */
export type FloatTensor = Tensor<"float32">;

/** Number of elements: the product of the extents (1 for a scalar). */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

/** A shape as text: `[2, 3]`. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/**
 * Wraps `data` as a float32 tensor without copying a Float32Array.
 * @throws UnnoiseError `data` when the number of elements is not the product of `shape`.
 */
export function floatTensor(data: Float32Array | readonly number[], shape: Shape): FloatTensor {
  const array = data instanceof Float32Array ? data : Float32Array.from(data);
  if (array.length !== sizeOf(shape)) {
    throw new UnnoiseError(
      "data",
      `tensor of shape ${shapeText(shape)} needs ${sizeOf(shape)} values, got ${array.length}`,
    );
  }
  return { dtype: "float32", shape, data: array };
}
