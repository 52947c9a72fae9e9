import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { type PointSet, equalPointSets } from "./points.ts";
import { sortedMeanSquare } from "./wasserstein.ts";

export interface SlicedWassersteinOptions {
  /** Number of directions, ≥ 1. */
  readonly projections?: number;
  /** Seed of the directions, integer in 0…2^53−1. The same seed projects every pair of sets on the same directions. */
  readonly seed: number;
}

/**
 * The sliced 2-Wasserstein distance SW2² = E_θ W2²(⟨θ, a⟩, ⟨θ, b⟩) over directions θ uniform on the unit sphere (Bonneel et
 * al. 2015, "Sliced and Radon Wasserstein barycenters of measures"), as a mean over random directions. They come in
 * orthonormal groups of D (Rowland et al. 2019, "Orthogonal estimation of Wasserstein distances"): each direction alone is
 * uniform, so the mean stays unbiased, with less variance. A shift by c gives |c|/√D.
 * @param a points `[n, …D]`
 * @param b points `[n, …D]`
 * @returns SW2 ≥ 0, in the unit of the points
 * @throws UnnoiseError `usage` for sets of unlike size or dimension or for a bad option, `not-finite` for a value that is not
 * finite
 */
export function slicedWasserstein2(
  a: FloatTensor,
  b: FloatTensor,
  { projections = 512, seed }: SlicedWassersteinOptions,
): number {
  if (!Number.isInteger(projections) || projections < 1) {
    throw new UnnoiseError("usage", `sliced W2: projections must be an integer ≥ 1, got ${projections}`);
  }
  const [from, to] = equalPointSets("sliced W2", a, b);
  const directions = randomDirections(from.coordinates.length, projections, seed);
  let sum = 0;
  for (const theta of directions) sum += sortedMeanSquare(project(from, theta).sort(), project(to, theta).sort());
  return Math.sqrt(sum / directions.length);
}

/** Unit vectors in D dimensions, in orthonormal groups of D. A line has one direction only. */
function randomDirections(width: number, projections: number, seed: number): Float64Array[] {
  if (width === 1) return [Float64Array.of(1)];
  const random = new Random(seed, "metric");
  const directions: Float64Array[] = [];
  while (directions.length < projections) {
    const theta = new Float64Array(width);
    random.normals(theta, width, directions.length);
    const group = directions.slice(directions.length - (directions.length % width));
    directions.push(orthonormal(theta, group));
  }
  return directions;
}

/** Modified Gram–Schmidt, twice over: once leaves rounding along earlier directions that a second pass removes. */
function orthonormal(theta: Float64Array, group: readonly Float64Array[]): Float64Array {
  for (const other of [...group, ...group]) {
    const along = dot(theta, other);
    for (let axis = 0; axis < theta.length; axis++) theta[axis] = at(theta, axis) - along * at(other, axis);
  }
  const norm = Math.sqrt(dot(theta, theta));
  return theta.map((value) => value / norm);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, axis) => sum + value * at(b, axis), 0);
}

function project({ count, coordinates }: PointSet, theta: Float64Array): Float64Array {
  const projected = new Float64Array(count);
  coordinates.forEach((values, axis) => {
    const weight = at(theta, axis);
    for (let i = 0; i < count; i++) projected[i] = (projected[i] as number) + weight * (values[i] as number);
  });
  return projected;
}
