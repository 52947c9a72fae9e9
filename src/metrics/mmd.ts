import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { median } from "./median.ts";
import {
  type PointSet,
  type RowSum,
  evenRows,
  pickPoints,
  pointSet,
  pointSets,
  squaredDistances,
  sumOverPairs,
  sumWithin,
} from "./points.ts";

export interface MmdOptions {
  /** Middle bandwidth s > 0, in the unit of the points; `medianHeuristic` of both sets together by default. */
  readonly bandwidth?: number;
  /** Bandwidths reach from s·2^−octaves to s·2^octaves; integer in 0…10. */
  readonly octaves?: number;
}

const MEDIAN_POINTS = 1000;

/**
 * The maximum mean discrepancy of two samples, as the square root of the biased statistic (Gretton et al. 2012, "A kernel
 * two-sample test", eq. 5): MMD² = mean k(a_i, a_j) + mean k(b_i, b_j) − 2·mean k(a_i, b_j), all pairs included. The kernel
 * is k(x, y) = mean_o exp(−‖x−y‖²/(2(s·2^o)²)), o = −octaves…octaves. Never negative and, for finite samples, positive in
 * expectation even when both come from one distribution, so a ratio to such a floor has a meaning; the unbiased statistic
 * scatters around zero there. A comparison of two values needs the same bandwidth in both.
 * @param a points `[m, …D]`
 * @param b points `[n, …D]`
 * @returns MMD in 0…√2, without unit
 * @throws UnnoiseError `usage` for sets of unlike dimension or for a bad option, `not-finite` for a value that is not finite
 */
export function mmd(a: FloatTensor, b: FloatTensor, options: MmdOptions = {}): number {
  const { count: m, within: aa, otherCount: n, otherWithin: bb, across } = kernelSums(a, b, options);
  const squared = (m + 2 * aa) / m ** 2 + (n + 2 * bb) / n ** 2 - (2 * across) / (m * n);
  return Math.sqrt(Math.max(0, squared));
}

/**
 * The unbiased estimate of MMD² (Gretton et al. 2012, eq. 3), for tests of hypotheses: as in `mmd`, without the pairs of a
 * point with itself. Zero in expectation for one distribution, so it can be negative.
 * @param a points `[m, …D]`, m ≥ 2
 * @param b points `[n, …D]`, n ≥ 2
 * @throws UnnoiseError as `mmd`, and `usage` for a set of one point
 */
export function mmdSquaredUnbiased(a: FloatTensor, b: FloatTensor, options: MmdOptions = {}): number {
  const { count: m, within: aa, otherCount: n, otherWithin: bb, across } = kernelSums(a, b, options);
  if (m < 2 || n < 2) throw new UnnoiseError("usage", `unbiased MMD²: two points a set are needed, got ${m} and ${n}`);
  return (2 * aa) / (m * (m - 1)) + (2 * bb) / (n * (n - 1)) - (2 * across) / (m * n);
}

/**
 * The median distance between two points of a set, zeros left out: the usual bandwidth of MMD (Gretton et al. 2012, section
 * 8). At most 1000 evenly spaced points take part. 1 where all points coincide, and any bandwidth gives the same MMD.
 * @param points `[n, …D]`
 * @returns a distance > 0, in the unit of the points
 * @throws UnnoiseError `usage` for an empty set, `not-finite` for a value that is not finite
 */
export function medianHeuristic(points: FloatTensor): number {
  return medianDistance(pointSet("median heuristic", points));
}

interface KernelSums {
  readonly count: number;
  readonly within: number;
  readonly otherCount: number;
  readonly otherWithin: number;
  readonly across: number;
}

function kernelSums(a: FloatTensor, b: FloatTensor, { bandwidth, octaves = 2 }: MmdOptions): KernelSums {
  const [from, to] = pointSets("MMD", a, b);
  const middle = bandwidth ?? medianDistance(pooled(from, to));
  if (!(middle > 0 && middle < Infinity)) {
    throw new UnnoiseError("usage", `MMD: bandwidth must be a finite number > 0, got ${middle}`);
  }
  if (!Number.isInteger(octaves) || octaves < 0 || octaves > 10) {
    throw new UnnoiseError("usage", `MMD: octaves must be an integer in 0…10, got ${octaves}`);
  }
  const kernel = gaussianLadder(middle, octaves);
  const within = sumWithin(from, kernel);
  const otherWithin = sumWithin(to, kernel);
  return { count: from.count, within, otherCount: to.count, otherWithin, across: sumOverPairs(from, to, kernel) };
}

/** Halving the bandwidth raises exp(−r²/(2s²)) to its fourth power, so one exponential serves every bandwidth. */
function gaussianLadder(middle: number, octaves: number): RowSum {
  const scale = -1 / (2 * (middle * 2 ** octaves) ** 2);
  const rungs = 2 * octaves + 1;
  return (squared, first) => {
    let sum = 0;
    for (let j = first; j < squared.length; j++) {
      let power = Math.exp((squared[j] as number) * scale);
      sum += power;
      for (let rung = 1; rung < rungs; rung++) {
        power *= power;
        power *= power;
        sum += power;
      }
    }
    return sum / rungs;
  };
}

function pooled(a: PointSet, b: PointSet): PointSet {
  const join = (values: Float64Array, axis: number) => {
    const joined = new Float64Array(a.count + b.count);
    joined.set(values);
    joined.set(b.coordinates[axis] as Float64Array, a.count);
    return joined;
  };
  return { count: a.count + b.count, coordinates: a.coordinates.map(join) };
}

function medianDistance(points: PointSet): number {
  const chosen = pickPoints(points, evenRows(Math.min(points.count, MEDIAN_POINTS), points.count));
  const row = new Float64Array(chosen.count);
  const squared = new Float64Array((chosen.count * (chosen.count - 1)) / 2);
  let filled = 0;
  for (let i = 0; i + 1 < chosen.count; i++) {
    squaredDistances(chosen, i, chosen, row, i + 1);
    squared.set(row.subarray(i + 1), filled);
    filled += chosen.count - i - 1;
  }
  const distinct = squared.filter((value) => value > 0);
  return distinct.length === 0 ? 1 : Math.sqrt(median(distinct));
}
