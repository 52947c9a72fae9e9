import { UnnoiseError, at } from "./error.ts";
import { quantile } from "./quantile.ts";
import type { Random } from "./random.ts";

/** How often to draw again, and from where. */
export interface ResamplingOptions {
  /** An integer ≥ 100. */
  readonly draws: number;
  /** Where the draws come from, e.g. `new Random(7, "metric")`. */
  readonly random: Random;
}

/** Ends of an interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The percentile interval of a statistic over bootstrap samples: n cases drawn with replacement (Efron 1979).
 * @param count n ≥ 2
 * @param statistic of the cases at these positions; samples for which it is not finite are left out
 * @param level share of the samples inside, in (0, 1)
 * @returns NaN for both ends where no sample has a finite statistic
 * @throws UnnoiseError `usage` for too few cases or draws
 */
export function bootstrapInterval(
  count: number,
  statistic: (positions: Int32Array) => number,
  { draws, random }: ResamplingOptions,
  level = 0.95,
): Interval {
  check(count, draws);
  const positions = new Int32Array(count);
  const found: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    random.integers(positions, count, 0, draw);
    const value = statistic(positions);
    if (Number.isFinite(value)) found.push(value);
  }
  if (found.length === 0) return { low: Number.NaN, high: Number.NaN };
  return { low: quantile(found, (1 - level) / 2), high: quantile(found, (1 + level) / 2) };
}

/**
 * The share of random orders of one side whose statistic is at least as large as the one found, which counts as one of them: the
 * probability of such a value where both sides have nothing to do with each other (one-sided permutation test).
 * @param values one side, n ≥ 2
 * @param statistic of that side in an order
 * @returns in 1/(draws + 1)…1
 * @throws UnnoiseError `usage` for too few values or draws
 */
export function permutationProbability(
  values: ArrayLike<number>,
  statistic: (shuffled: Float64Array) => number,
  { draws, random }: ResamplingOptions,
): number {
  check(values.length, draws);
  const found = statistic(Float64Array.from(values));
  let atLeast = 1;
  for (let draw = 0; draw < draws; draw++) {
    const order = random.permutation(values.length, draw);
    const shuffled = Float64Array.from(order, (position) => at(values, position));
    if (statistic(shuffled) >= found - ROUNDING) atLeast++;
  }
  return atLeast / (draws + 1);
}

/** Orders that give the same value differ by rounding alone. */
const ROUNDING = 1e-12;

function check(count: number, draws: number): void {
  if (count >= 2 && Number.isInteger(draws) && draws >= 100) return;
  throw new UnnoiseError("usage", `resampling: expected at least 2 cases and 100 draws, got ${count} and ${draws}`);
}
