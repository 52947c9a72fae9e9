import { Random } from "../math/random.ts";

/**
 * Standard normal draws addressed by sample and step, so that neither chunk nor batch size changes a draw. `Random` is one.
 */
export interface NoiseSource {
  /**
   * Fills `out` `[rows, width]`; row r holds the draws of sample `firstIndex` + r at `step`.
   * @param out receives the draws
   * @param width values in a row
   * @param firstIndex index of the first row's sample, ≥ 0
   * @param step the step in 0…T−1 whose transition asks
   */
  normals(out: Float32Array, width: number, firstIndex: number, step: number): void;
}

/** Where a sampler's randomness comes from. */
export interface SamplerNoise {
  /** Gives x_T; asked once, with step 0, so that x_T does not depend on T. */
  readonly start: NoiseSource;
  /** Gives z of each transition; asked with the step that is left. */
  readonly steps: NoiseSource;
}

/**
 * The noise of a seeded run: x_T from the stream `start`, z from the stream `sampling`.
 * @param seed integer in 0…2^53−1
 * @throws UnnoiseError `usage` for any other seed
 */
export function seededNoise(seed: number): SamplerNoise {
  return { start: new Random(seed, "start"), steps: new Random(seed, "sampling") };
}
