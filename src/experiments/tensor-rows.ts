import { UnnoiseError, at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import type { JobResult } from "./job.ts";

/** Slice `index` of a tensor along its first axis, without a copy. */
export function sliceOf({ data, shape }: FloatTensor, index: number): FloatTensor {
  const extents = shape.slice(1);
  const size = data.length / at(shape, 0);
  return floatTensor(data.subarray(index * size, (index + 1) * size), extents);
}

/**
 * The states `[times, n, D]` that a job kept.
 * @throws UnnoiseError `format` where there are none
 */
export function statesOf({ arrays }: Pick<JobResult, "arrays">): FloatTensor {
  if (arrays["states"]) return arrays["states"];
  throw new UnnoiseError("format", "kept result: expected an array states, got none; delete the cache of experiments");
}
