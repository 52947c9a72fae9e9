import { gatherRows } from "../data/batches.ts";
import { at } from "../math/error.ts";
import type { Random } from "../math/random.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";

/** The given rows of points `[N, …D]`. */
export function takeRows(points: FloatTensor, rows: ArrayLike<number>): FloatTensor {
  const extents = points.shape.slice(1);
  const out = new Float32Array(rows.length * sizeOf(extents));
  gatherRows(points, Int32Array.from(rows), out);
  return floatTensor(out, [rows.length, ...extents]);
}

/** Up to `count` rows at random; files may be sorted, so the first ones will not do. */
export function randomRows(points: FloatTensor, count: number, random: Random, step = 0): FloatTensor {
  const total = at(points.shape, 0);
  return count >= total ? points : takeRows(points, random.permutation(total, step).subarray(0, count));
}
