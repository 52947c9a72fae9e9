import { at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Slice `index` of a tensor along its first axis, without a copy. */
export function sliceOf({ data, shape }: FloatTensor, index: number): FloatTensor {
  const extents = shape.slice(1);
  const size = data.length / at(shape, 0);
  return floatTensor(data.subarray(index * size, (index + 1) * size), extents);
}
