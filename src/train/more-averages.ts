import { emaDecay } from "../nn/ema.ts";

/** Averages of the weights at further decays, beside the one that the optimiser keeps. */
export class MoreAverages {
  /** One vector [P] for each decay. */
  readonly vectors: readonly Float32Array[];
  readonly #decays: readonly number[];

  /**
   * @param decays in [0, 1)
   * @param start the vectors to go on with, or the weights [P] that all of them begin as
   */
  constructor(decays: readonly number[], start: readonly Float32Array[] | Float32Array) {
    this.#decays = decays;
    this.vectors = start instanceof Float32Array ? decays.map(() => start.slice()) : start.map((each) => each.slice());
  }

  /**
   * Takes the weights after an update in: ē ← ē + (1 − decay)·(w − ē), with the warm-up of `emaDecay`.
   * @param update 1, 2, …
   */
  add(weights: Float32Array, update: number): void {
    this.vectors.forEach((average, which) => {
      const rate = 1 - emaDecay(this.#decays[which] ?? 0, update);
      for (let i = 0; i < average.length; i++) {
        const value = average[i] as number;
        average[i] = value + rate * ((weights[i] as number) - value);
      }
    });
  }
}
