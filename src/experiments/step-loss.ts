/** Mean squared errors per value at each step, in standardised units. */
export interface StepLossValues {
  /** t = step + 1, ascending. */
  readonly t: readonly number[];
  readonly timesteps: number;
  readonly alphasCumprod: readonly number[];
  /** E‖ε − ε̂‖²/D. */
  readonly eps: readonly number[];
  readonly epsError: readonly number[];
  /** E‖x_0 − x̂_0‖²/D; null where the prediction leaves x̂_0 undetermined. */
  readonly x0: readonly (number | null)[];
  readonly x0Error: readonly (number | null)[];
  /** The least E‖ε − ε̂‖²/D that any denoiser reaches; null where the distribution of the data is not known. */
  readonly bayesEps: readonly number[] | null;
  /** The least E‖x_0 − x̂_0‖²/D; null as above, or where ᾱ = 0. */
  readonly bayesX0: readonly (number | null)[] | null;
  /** E‖ε̂ − E[ε|x_t]‖²/D, by which the model's loss exceeds the least one; null as above. */
  readonly excess: readonly number[] | null;
}
