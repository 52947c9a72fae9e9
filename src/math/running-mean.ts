/** A mean over draws, and how far it may be off. */
export interface MeanEstimate {
  readonly mean: number;
  /** Standard deviation of `mean`; NaN for fewer than two draws. */
  readonly standardError: number;
}

/** A mean over draws with the spread of the draws themselves. */
export interface SpreadEstimate extends MeanEstimate {
  /** Variance of one draw, with n − 1 in the denominator. */
  readonly variance: number;
}

/** Mean and variance of values that come one by one (Welford 1962), free of cancellation. */
export class RunningMean {
  count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    const delta = value - this.#mean;
    this.#mean += delta / ++this.count;
    this.#squares += delta * (value - this.#mean);
  }

  /** NaN before the first value. */
  get mean(): number {
    return this.count === 0 ? Number.NaN : this.#mean;
  }

  /** NaN before the second value. */
  get variance(): number {
    return this.count < 2 ? Number.NaN : this.#squares / (this.count - 1);
  }

  estimate(): MeanEstimate {
    return { mean: this.mean, standardError: Math.sqrt(this.variance / this.count) };
  }
}

/** Mean of values, with its standard error and their variance, as for independent draws. */
export function meanOf(values: ArrayLike<number>): SpreadEstimate {
  const running = new RunningMean();
  for (let i = 0; i < values.length; i++) running.add(values[i] as number);
  return { ...running.estimate(), variance: running.variance };
}
