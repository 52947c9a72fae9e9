import { Random } from "../math/random.ts";
import { type FloatTensor, floatTensor } from "../tensor/tensor.ts";

/** For tests: `[count, width]` draws of N(shift, scale²) in every coordinate. Each `seed` is another set. */
export function gaussianPoints(seed: number, count: number, width: number, shift = 0, scale = 1): FloatTensor {
  const draws = new Float64Array(count * width);
  new Random(seed, "data").normals(draws, width);
  return floatTensor(
    Float32Array.from(draws, (z) => shift + scale * z),
    [count, width],
  );
}

/** For tests: the same points, each moved by `offset`. */
export function moved({ shape, data }: FloatTensor, offset: readonly number[]): FloatTensor {
  return floatTensor(
    data.map((value, i) => value + (offset[i % offset.length] ?? 0)),
    shape,
  );
}

/** For tests: mean of independent estimates and the standard error of that mean. */
export function meanAndError(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
