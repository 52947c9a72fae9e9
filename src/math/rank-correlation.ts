import { UnnoiseError, at } from "./error.ts";

/** Ranks 1…n in ascending order; equal values share the mean of their ranks. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => at(values, a) - at(values, b));
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    const value = at(values, at(order, first));
    let end = first + 1;
    while (end < order.length && at(values, at(order, end)) === value) end++;
    for (let place = first; place < end; place++) ranks[at(order, place)] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}

/**
 * Pearson's correlation Σ(a − ā)(b − b̄)/√(Σ(a − ā)² Σ(b − b̄)²).
 * @param a n ≥ 2 values
 * @param b as many
 * @returns −1…1; NaN where all values of one side are equal
 * @throws UnnoiseError `usage` for unlike lengths or fewer than two values
 */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkPairs(a, b);
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [at(a, i) - meanA, at(b, i) - meanB];
    both += da * db;
    squaresA += da * da;
    squaresB += db * db;
  }
  return both / Math.sqrt(squaresA * squaresB);
}

/**
 * Spearman's ρ: the correlation of the ranks, equal values sharing theirs (Spearman 1904).
 * @returns −1…1; NaN where all values of one side are equal
 * @throws UnnoiseError `usage` for unlike lengths or fewer than two values
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkPairs(a, b);
  return pearson(ranksOf(a), ranksOf(b));
}

/**
 * Kendall's τ_b = (C − D)/√((P − A)(P − B)) with C pairs in the same order on both sides, D in opposite order, P = n(n − 1)/2 pairs,
 * A and B of them equal on one side (Kendall 1945).
 * @returns −1…1; NaN where all values of one side are equal
 * @throws UnnoiseError `usage` for unlike lengths or fewer than two values
 */
export function kendall(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkPairs(a, b);
  let [balance, unlikeA, unlikeB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [signA, signB] = [Math.sign(at(a, i) - at(a, j)), Math.sign(at(b, i) - at(b, j))];
      balance += signA * signB;
      unlikeA += Math.abs(signA);
      unlikeB += Math.abs(signB);
    }
  }
  return balance / Math.sqrt(unlikeA * unlikeB);
}

function checkPairs(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length === b.length && a.length >= 2) return;
  throw new UnnoiseError("usage", `correlation: expected two lists of one length ≥ 2, got ${a.length} and ${b.length}`);
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
