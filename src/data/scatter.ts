import { UnnoiseError } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Which points of a toy set to draw. */
export interface ToyOptions {
  /** How many points: an integer ≥ 1. */
  readonly count: number;
  /** Standard deviation of the Gaussian noise added to each coordinate, in the units of the points, ≥ 0. */
  readonly noise: number;
  /** Integer in 0…2^53−1. */
  readonly seed: number;
  /** Number of the first point: point i of a seed is the same whatever the count. 0…2^32−1. */
  readonly firstIndex?: number;
}

export type Point = readonly [x: number, y: number];

const INDEX_LIMIT = 2 ** 32;
const UNIFORM_STEP = 0;
const NOISE_STEP = 1;

function checkOptions({ count, noise, firstIndex = 0 }: ToyOptions): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new UnnoiseError("usage", `count: expected an integer ≥ 1, got ${count}`);
  }
  if (!Number.isFinite(noise) || noise < 0) {
    throw new UnnoiseError("usage", `noise: expected a finite number ≥ 0, got ${noise}`);
  }
  if (!Number.isInteger(firstIndex) || firstIndex < 0 || firstIndex + count > INDEX_LIMIT) {
    throw new UnnoiseError("usage", `points ${firstIndex}…${firstIndex + count - 1}: expected numbers in 0…2^32−1`);
  }
}

/**
 * Places each point by `width` uniform draws in (0, 1) and adds the noise.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function scatter(options: ToyOptions, width: number, place: (draws: Float64Array) => Point): FloatTensor {
  checkOptions(options);
  const { count, noise, seed, firstIndex = 0 } = options;
  const random = new Random(seed, "data");
  const uniforms = new Float64Array(count * width);
  const points = new Float64Array(count * 2);
  random.uniforms(uniforms, width, firstIndex, UNIFORM_STEP);
  random.normals(points, 2, firstIndex, NOISE_STEP);
  for (let i = 0; i < count; i++) {
    const [x, y] = place(uniforms.subarray(i * width, (i + 1) * width));
    points[2 * i] = x + noise * (points[2 * i] ?? 0);
    points[2 * i + 1] = y + noise * (points[2 * i + 1] ?? 0);
  }
  return floatTensor(Float32Array.from(points), [count, 2]);
}
