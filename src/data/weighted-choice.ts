import { invariant } from "../math/error.ts";

/** Chooses one of some things with probabilities in proportion to their weights, by inversion of the distribution function. */
export class WeightedChoice {
  readonly #sums: Float64Array;

  /** @param weights ≥ 0, of a sum > 0 */
  constructor(weights: Float64Array) {
    let sum = 0;
    this.#sums = weights.map((weight) => (sum += weight));
    invariant(sum > 0 && sum < Infinity, `weights of sum ${sum}`);
  }

  /**
   * The thing at quantile `u`.
   * @param u in (0, 1)
   * @returns its number; never that of a thing without weight
   */
  at(u: number): number {
    const sums = this.#sums;
    const aim = u * (sums.at(-1) ?? 0);
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > aim) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
