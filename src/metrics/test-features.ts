import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { type FloatTensor, floatTensor } from "../tensor/tensor.ts";

/** For tests: rows of features as a matrix. */
export function featureRows(values: readonly number[], width: number): FloatTensor {
  return floatTensor(values, [values.length / width, width]);
}

/** For tests: each row mirrored at a random hyperplane through 0 (a Householder reflection, so an orthogonal map). */
export function reflected({ shape, data }: FloatTensor, seed: number): FloatTensor {
  const width = at(shape, 1);
  const v = new Float64Array(width);
  new Random(seed, "metric").normals(v, width);
  const length = v.reduce((sum, value) => sum + value ** 2, 0);
  const out = data.slice();
  for (let start = 0; start < data.length; start += width) {
    const along = v.reduce((sum, value, f) => sum + value * at(data, start + f), 0);
    for (let f = 0; f < width; f++) out[start + f] = at(data, start + f) - (2 * along * at(v, f)) / length;
  }
  return floatTensor(out, shape);
}
