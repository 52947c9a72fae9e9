import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { type PointSet, pointSets, squaredDistances } from "./points.ts";

export interface CoverageOptions {
  /** A real point's ball reaches to its k-th nearest other real point; integer in 1…n−1. */
  readonly k?: number;
}

/**
 * The share of real points whose ball holds a generated point (coverage, Naeem et al. 2020, "Reliable fidelity and diversity
 * metrics for generative models", arXiv 2002.09797); the closed ball around a real point reaches to its k-th nearest
 * neighbour among the real. Low where modes of the data are missing. Two fresh sets of one size reach about 1 − 2^−k.
 * @param real points `[n, …D]`, n > k
 * @param generated points `[m, …D]`
 * @returns coverage in 0…1; higher is better
 * @throws UnnoiseError `usage` for sets of unlike dimension or a bad k, `not-finite` for a value that is not finite
 */
export function coverage(real: FloatTensor, generated: FloatTensor, { k = 5 }: CoverageOptions = {}): number {
  const counts = ballCounts(...pointSets("coverage", real, generated), k);
  return counts.filter((count) => count > 0).length / counts.length;
}

/**
 * How densely real points surround the generated: Σ over real balls of the generated points inside, over k·m (density, Naeem
 * et al. 2020). 1 in expectation for equal distributions; more where samples crowd into the dense parts of the data.
 * Arguments and errors as for `coverage`.
 * @returns density ≥ 0
 */
export function density(real: FloatTensor, generated: FloatTensor, { k = 5 }: CoverageOptions = {}): number {
  const [from, to] = pointSets("density", real, generated);
  return ballCounts(from, to, k).reduce((sum, count) => sum + count, 0) / (k * to.count);
}

/** How many generated points lie in the ball of each real point. */
function ballCounts(real: PointSet, generated: PointSet, k: number): Int32Array {
  if (!Number.isInteger(k) || k < 1 || k >= real.count) {
    throw new UnnoiseError(
      "usage",
      `coverage: k must be an integer in 1…${real.count - 1} for ${real.count} real points, got ${k}`,
    );
  }
  const radii = squaredRadii(real, k);
  const counts = new Int32Array(real.count);
  const squared = new Float64Array(generated.count);
  for (let i = 0; i < real.count; i++) {
    squaredDistances(real, i, generated, squared);
    counts[i] = countWithin(squared, radii[i] as number);
  }
  return counts;
}

function countWithin(squared: Float64Array, limit: number): number {
  let inside = 0;
  for (let j = 0; j < squared.length; j++) if ((squared[j] as number) <= limit) inside++;
  return inside;
}

function squaredRadii(real: PointSet, k: number): Float64Array {
  const squared = new Float64Array(real.count);
  const nearest = new Float64Array(k);
  return Float64Array.from({ length: real.count }, (_, i) => {
    squaredDistances(real, i, real, squared);
    squared[i] = Infinity;
    return smallest(squared, nearest);
  });
}

/** The k-th smallest value, k = nearest.length, by insertion into a short sorted list. */
function smallest(squared: Float64Array, nearest: Float64Array): number {
  const last = nearest.length - 1;
  nearest.fill(Infinity);
  for (let j = 0; j < squared.length; j++) {
    const value = squared[j] as number;
    if (value >= (nearest[last] as number)) continue;
    let place = last;
    for (; place > 0 && (nearest[place - 1] as number) > value; place--) nearest[place] = nearest[place - 1] as number;
    nearest[place] = value;
  }
  return nearest[last] as number;
}
