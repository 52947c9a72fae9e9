import { UnnoiseError, at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { pointMixture, type GaussianMixture } from "./mixture.ts";

/** Leave-one-out compares all pairs, so larger sets are thinned to this many points, evenly spaced in their order. */
const MOST_POINTS = 2000;
const COARSE_STEPS = 10;
const GOLDEN_STEPS = 16;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * A kernel density estimate p(x) = 1/n Σ_i N(x; x_i, h² I), as a mixture: an oracle for data whose generator is not known.
 * @param points `[n, …D]`, n ≥ 1, finite; standardised, since one h serves all coordinates
 * @param bandwidth h > 0, in units of the points; `leaveOneOutBandwidth` if absent
 * @throws UnnoiseError `usage` for no points or a bandwidth that is not positive; otherwise as `leaveOneOutBandwidth`
 */
export function kernelDensity(points: FloatTensor, bandwidth: number = leaveOneOutBandwidth(points)): GaussianMixture {
  if (!(bandwidth > 0 && bandwidth < Infinity)) {
    throw new UnnoiseError("usage", `bandwidth: expected a finite number > 0, got ${bandwidth}`);
  }
  return pointMixture(points, bandwidth ** 2);
}

/**
 * The bandwidth h that makes Σ_i log p_{−i}(x_i) largest, where p_{−i} is the kernel density of all points but x_i (Duin 1976, "On
 * the choice of smoothing parameters for Parzen estimators of probability density functions"): a coarse scan, then golden
 * sections over log h. Of more than 2000 points, 2000 evenly spaced ones are compared, and h is multiplied by (2000/n)^(1/(D +
 * 4)), the rate at which the best bandwidth falls (Silverman 1986, section 4.3).
 * @param points `[n, …D]`, n ≥ 2, finite
 * @returns h > 0, in units of the points
 * @throws UnnoiseError `data` for fewer than two points, or when all have a double so that no h is best; `not-finite` for a point
 * that is not finite
 */
export function leaveOneOutBandwidth(points: FloatTensor): number {
  const { means, width } = pointMixture(points);
  const count = means.length / width;
  if (count < 2) throw new UnnoiseError("data", "bandwidth: expected at least two points, got one");
  const kept = Math.min(count, MOST_POINTS);
  const rows = Int32Array.from({ length: kept }, (_, i) => Math.floor((i * count) / kept));
  const neighbours = neighboursOf(means, rows, width);
  const nearest = meanSquare(neighbours.nearest);
  if (nearest === 0) {
    throw new UnnoiseError("data", "bandwidth: every point has an exact double, so no bandwidth is best; give one");
  }
  // The likelihood's slope over log h is Σ_i (E_i ‖x_i − x_j‖²/h² − D) with weights E_i that favour near x_j: its zeros lie between.
  const low = Math.log(nearest / width) / 2;
  const high = Math.log(neighbours.meanSquare / width) / 2;
  const best = maximum((logH) => leaveOneOut(neighbours, Math.exp(2 * logH), width), low, high);
  return Math.exp(best) * (kept / count) ** (1 / (width + 4));
}

interface Neighbours {
  /** ‖x_i − x_j‖² `[n, n]`, ∞ for i = j. */
  readonly squared: Float64Array;
  /** Mean of all ‖x_i − x_j‖², i ≠ j. */
  readonly meanSquare: number;
  /** Least of each row, without its diagonal, `[n]`. */
  readonly nearest: Float64Array;
}

function neighboursOf(means: Float64Array, rows: Int32Array, width: number): Neighbours {
  const count = rows.length;
  const squared = new Float64Array(count * count).fill(Infinity);
  let sum = 0;
  const nearest = new Float64Array(count).fill(Infinity);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const distance = squaredDistance(means, at(rows, i) * width, at(rows, j) * width, width);
      sum += distance;
      squared[i * count + j] = distance;
      squared[j * count + i] = distance;
      if (distance < (nearest[i] as number)) nearest[i] = distance;
      if (distance < (nearest[j] as number)) nearest[j] = distance;
    }
  }
  return { squared, meanSquare: (2 * sum) / (count * (count - 1)), nearest };
}

function squaredDistance(means: Float64Array, a: number, b: number, width: number): number {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += ((means[a + d] as number) - (means[b + d] as number)) ** 2;
  return sum;
}

/** 1/n Σ_i log p_{−i}(x_i) without its constants; sums are taken relative to each nearest neighbour, so none vanishes. */
function leaveOneOut({ squared, nearest }: Neighbours, h2: number, width: number): number {
  const count = nearest.length;
  const rate = 1 / (2 * h2);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const least = nearest[i] as number;
    let sum = 0;
    for (let j = 0; j < count; j++) {
      const below = ((squared[i * count + j] as number) - least) * rate;
      if (below < 50) sum += Math.exp(-below);
    }
    total += Math.log(sum) - least * rate;
  }
  return total / count - (width / 2) * Math.log(h2);
}

/** Where `f` is largest in [low, high]: the best of a coarse scan, refined between its neighbours by golden sections. */
function maximum(f: (x: number) => number, low: number, high: number): number {
  const stride = (high - low) / COARSE_STEPS;
  const values = Array.from({ length: COARSE_STEPS + 1 }, (_, i) => f(low + i * stride));
  const best = values.reduce((most, value, i) => (value > at(values, most) ? i : most), 0);
  let [a, b] = [low + Math.max(0, best - 1) * stride, low + Math.min(COARSE_STEPS, best + 1) * stride];
  let [c, d] = [b - GOLDEN * (b - a), a + GOLDEN * (b - a)];
  let [fc, fd] = [f(c), f(d)];
  for (let i = 0; i < GOLDEN_STEPS; i++) {
    if (fc > fd) {
      [b, d, fd] = [d, c, fc];
      c = b - GOLDEN * (b - a);
      fc = f(c);
    } else {
      [a, c, fc] = [c, d, fd];
      d = a + GOLDEN * (b - a);
      fd = f(d);
    }
  }
  return (a + b) / 2;
}

function meanSquare(squares: Float64Array): number {
  return squares.reduce((sum, value) => sum + value, 0) / squares.length;
}
