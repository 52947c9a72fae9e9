import type { Standardiser } from "../data/standardise.ts";
import { standardise } from "../data/standardise.ts";
import { toySupport } from "../data/toy-support.ts";
import { toyDatasets, type ToyName } from "../data/toy.ts";
import { pointMixture, type GaussianMixture } from "../diffusion/oracles/mixture.ts";
import { UnnoiseError } from "../math/error.ts";

/** What `toyMixture` takes. */
export interface ToyMixtureOptions {
  /** Standard deviation of the noise in raw units, > 0; the set's usual one if absent. */
  readonly noise?: number;
  /** Units of the result: standardised by this if given, raw if absent. */
  readonly standardiser?: Standardiser;
  /** Longest cell of the support, in raw units: noise/5 on curves and the noise itself on the cross if absent. */
  readonly spacing?: number;
}

const CURVE_CELLS_PER_NOISE = 5;

/**
 * The distribution that a toy set is drawn from, as a mixture: its noise-free support in cells of equal probability, each blurred
 * by the noise, m_k = (p_k − mean)/scale, Σ_k = diag((noise² + cellVariance)/scale²). The cells replace an integral along the
 * curve; at the usual spacing the density is within 10⁻³ of its peak of that integral.
 * @returns a mixture over standardised or raw units, with one covariance for all components
 * @throws UnnoiseError `usage` for a noise that is not positive (no noise, no density), or a spacing out of range
 */
export function toyMixture(name: ToyName, options: ToyMixtureOptions = {}): GaussianMixture {
  const { noise = toyDatasets[name].noise, standardiser } = options;
  if (!(noise > 0 && noise < Infinity)) {
    throw new UnnoiseError(
      "usage",
      `noise: expected a finite number > 0, as a set without noise has no density; got ${noise}`,
    );
  }
  const { spacing = name === "cross" ? noise : noise / CURVE_CELLS_PER_NOISE } = options;
  const { points, cellVariance } = toySupport(name, spacing);
  const variance = noise ** 2 + cellVariance;
  if (standardiser === undefined) return pointMixture(points, variance);
  const variances = standardiser.scale.map((scale) => variance / scale ** 2);
  return pointMixture(standardise(points, standardiser), variances);
}
