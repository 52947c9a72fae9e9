import { invariant } from "../math/error.ts";
import { quantile } from "../math/quantile.ts";
import type { Random } from "../math/random.ts";
import type { Interval } from "../math/resampling.ts";

/** Continuations of states: `repeats` rows of each of `states` states, one state after the other. */
export interface Continuations {
  /** At least 2. */
  readonly states: number;
  /** At least 2. */
  readonly repeats: number;
}

/** How unlike two of the rows are, by their numbers: ≥ 0, symmetric. */
export type Unlikeness = (a: number, b: number) => number;

/** How unlike continuations are, by state. */
export interface PairSpread {
  /** Mean over the pairs of continuations of one state, `[states]`. */
  readonly within: Float64Array;
  /** Mean over the pairs of a continuation of one state and one of another, `[states, states]`; filled below the diagonal alone. */
  readonly across: Float64Array;
}

/** Compares all continuations with each other. */
export function pairSpread({ states, repeats }: Continuations, unlike: Unlikeness): PairSpread {
  invariant(states >= 2 && repeats >= 2, `${states} states continued ${repeats} times have no pairs`);
  const within = new Float64Array(states);
  const across = new Float64Array(states * states);
  for (let i = 0; i < states; i++) {
    within[i] = meanWithin(i * repeats, repeats, unlike);
    for (let j = 0; j < i; j++) across[i * states + j] = meanAcross(i * repeats, j * repeats, repeats, unlike);
  }
  return { within, across };
}

function meanWithin(first: number, repeats: number, unlike: Unlikeness): number {
  let sum = 0;
  for (let r = 0; r < repeats; r++) for (let s = 0; s < r; s++) sum += unlike(first + r, first + s);
  return sum / ((repeats * (repeats - 1)) / 2);
}

function meanAcross(a: number, b: number, repeats: number, unlike: Unlikeness): number {
  let sum = 0;
  for (let r = 0; r < repeats; r++) for (let s = 0; s < repeats; s++) sum += unlike(a + r, b + s);
  return sum / (repeats * repeats);
}

/** ‖x_a − x_b‖² of rows `[…, width]`: half its mean over pairs of equal distribution is the sum of their variances. */
export function squaredDistance(rows: ArrayLike<number>, width: number): Unlikeness {
  const values = Float64Array.from(rows);
  return (a, b) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += ((values[a * width + d] as number) - (values[b * width + d] as number)) ** 2;
    return sum;
  };
}

/** ‖x_a − x_b‖ of rows `[…, width]`: half its mean is the energy (Székely & Rizzo 2013), to which every feature of a distribution adds. */
export function distance(rows: ArrayLike<number>, width: number): Unlikeness {
  const squared = squaredDistance(rows, width);
  return (a, b) => Math.sqrt(squared(a, b));
}

/** 0 for rows of one class, 1 for rows of two. */
export function otherClass(classes: ArrayLike<number>): Unlikeness {
  return (a, b) => (classes[a] === classes[b] ? 0 : 1);
}

/** Means over pairs from one state and over pairs from two. */
export interface PairMeans {
  readonly within: number;
  readonly across: number;
}

/**
 * Means over the pairs of a spread, where state i counts wᵢ times; a state is never compared with its own copies. Both are free of bias.
 * @param weights wᵢ `[states]`, not all on one state; 1 each if absent
 */
export function pairMeans({ within, across }: PairSpread, weights?: Float64Array): PairMeans {
  const counted = countedStates(within.length, weights);
  const weight = (i: number): number => weights?.[i] ?? 1;
  let [total, inside, pairs, outside] = [0, 0, 0, 0];
  for (let a = 0; a < counted.length; a++) {
    const i = counted[a] as number;
    let row = 0;
    for (let b = 0; b < a; b++)
      row += weight(counted[b] as number) * (across[i * within.length + (counted[b] as number)] as number);
    inside += weight(i) * (within[i] as number);
    outside += weight(i) * row;
    pairs += weight(i) * total;
    total += weight(i);
  }
  invariant(pairs > 0, "all weight on one state");
  return { within: inside / total, across: outside / pairs };
}

function countedStates(states: number, weights: Float64Array | undefined): Int32Array {
  const all = Int32Array.from({ length: states }, (_, i) => i);
  return weights === undefined ? all : all.filter((i) => (weights[i] as number) > 0);
}

/**
 * The share of the unlikeness of ends that their states explain: 1 − E d(x, x′)/E d(x, y), where x and x′ continue one state, x and y
 * two. With squared distances it is 1 − E Var(x_0|x_t)/Var(x_0) by the estimator of a one-way analysis of variance with random effects
 * (Searle, Casella & McCulloch 1992, section 3.6): the variance of the states' means, less what comes from their finite number of
 * continuations, beside the sum of both variances. With classes it is the agreement beyond chance. 0 where the ends do not differ.
 */
export function sharedFraction(spread: PairSpread, weights?: Float64Array): number {
  const { within, across } = pairMeans(spread, weights);
  return across > 0 ? 1 - within / across : 0;
}

/**
 * How often each state is drawn in a bootstrap sample of the states (Efron 1979): with replacement, as many as there are.
 * @param replicate number of the sample, ≥ 0: each has its own draws
 */
export function bootstrapWeights(states: number, random: Random, replicate: number): Float64Array {
  const drawn = new Int32Array(states);
  random.integers(drawn, states, 0, replicate);
  const weights = new Float64Array(states);
  for (const i of drawn) weights[i] = (weights[i] as number) + 1;
  return weights;
}

/** The percentile interval of bootstrap values: what lies between their quantiles (1 ± confidence)/2. */
export function percentileInterval(values: ArrayLike<number>, confidence: number = 0.95): Interval {
  return { low: quantile(values, (1 - confidence) / 2), high: quantile(values, (1 + confidence) / 2) };
}
