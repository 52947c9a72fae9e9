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

/** Which points to draw: those numbered `firstIndex`, `firstIndex` + 1, … of a seed. */
export type DrawOptions = Omit<ToyOptions, "noise">;

const INDEX_LIMIT = 2 ** 32;
const UNIFORM_STEP = 0;
const NOISE_STEP = 1;

function checkOptions({ count, firstIndex = 0 }: DrawOptions): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new UnnoiseError("usage", `count: expected an integer ≥ 1, got ${count}`);
  }
  if (!Number.isInteger(firstIndex) || firstIndex < 0 || firstIndex + count > INDEX_LIMIT) {
    throw new UnnoiseError("usage", `points ${firstIndex}…${firstIndex + count - 1}: expected numbers in 0…2^32−1`);
  }
}

/**
 * Places each point in the plane by `width` uniform draws in (0, 1) and adds the noise.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function scatter(options: ToyOptions, width: number, place: (draws: Float64Array) => Point): FloatTensor {
  return scatterIn(2, options, width, place);
}

/**
 * Places each point by `width` uniform draws in (0, 1) and adds the noise.
 * @param place gives the coordinates of a point
 * @returns points `[count, columns]`
 * @throws UnnoiseError `usage` for an option out of range, `data` for points that float32 cannot hold
 */
export function scatterIn(
  columns: number,
  options: ToyOptions,
  width: number,
  place: (draws: Float64Array) => ArrayLike<number>,
): FloatTensor {
  const { count, noise, seed, firstIndex = 0 } = options;
  if (!Number.isFinite(noise) || noise < 0) {
    throw new UnnoiseError("usage", `noise: expected a finite number ≥ 0, got ${noise}`);
  }
  const uniforms = uniformRows(options, width);
  const points = new Float64Array(count * columns);
  new Random(seed, "data").normals(points, columns, firstIndex, NOISE_STEP);
  for (let i = 0; i < count; i++) {
    const placed = place(uniforms.subarray(i * width, (i + 1) * width));
    for (let column = 0; column < columns; column++) {
      const at = i * columns + column;
      points[at] = (placed[column] ?? 0) + noise * (points[at] ?? 0);
    }
  }
  const drawn = Float32Array.from(points);
  if (!drawn.every(Number.isFinite)) {
    const got = noise > 1 ? `a spread of ${noise}` : "places beyond it";
    throw new UnnoiseError("data", `points: expected coordinates that float32 can hold (below 3.4e38), got ${got}`);
  }
  return floatTensor(drawn, [count, columns]);
}

/**
 * Says of each point that `scatter` places by the same draws which class it belongs to.
 * @returns labels `[count]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function labelEach(options: DrawOptions, width: number, classOf: (draws: Float64Array) => number): Int32Array {
  const uniforms = uniformRows(options, width);
  return Int32Array.from({ length: options.count }, (_, i) => classOf(uniforms.subarray(i * width, (i + 1) * width)));
}

/** The draws `[count, width]` that place points. */
function uniformRows(options: DrawOptions, width: number): Float64Array {
  checkOptions(options);
  const { count, seed, firstIndex = 0 } = options;
  const uniforms = new Float64Array(count * width);
  new Random(seed, "data").uniforms(uniforms, width, firstIndex, UNIFORM_STEP);
  return uniforms;
}
