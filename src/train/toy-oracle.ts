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
  /** Longest cell of the support, in raw units; if absent noise/5 on curves with ends, noise/2 on others, the noise on areas. */
  readonly spacing?: number;
}

/**
 * Cells of the support for one deviation of the noise. Sums over curves without ends, or that thin out at them, converge much
 * faster; Gaussians have their means alone.
 */
const cellsPerNoise: Readonly<Record<ToyName, number>> = {
  "swiss-roll": 5,
  moons: 5,
  cross: 1,
  circles: 2,
  spirals: 5,
  "s-curve": 5,
  pinwheel: 2,
  checkerboard: 1,
  "8-gaussians": 1,
  "25-gaussians": 1,
};

/**
 * The distribution that a toy set is drawn from, as a mixture: its noise-free support in cells, each blurred by the noise,
 * m_k = (p_k − mean)/scale, Σ_k = diag((noise² + cellVariance)/scale²). The cells replace an integral along the curve or over
 * the area; at the usual spacing the density is within 10⁻³ of its peak of that integral. Sets of Gaussians are exact.
 * @returns a mixture over standardised or raw units, with one covariance for all components
 * @throws UnnoiseError `usage` for a noise that is not positive, or a spacing out of range
 */
export function toyMixture(name: ToyName, options: ToyMixtureOptions = {}): GaussianMixture {
  const { noise = toyDatasets[name].noise, standardiser } = options;
  if (!(noise > 0 && noise < Infinity)) {
    throw new UnnoiseError(
      "usage",
      `noise: expected a finite number > 0, as a mixture blurs the set by it; got ${noise}`,
    );
  }
  const { spacing = noise / cellsPerNoise[name] } = options;
  const { points, weights, cellVariance } = toySupport(name, spacing);
  const variance = noise ** 2 + cellVariance;
  const mixture =
    standardiser === undefined
      ? pointMixture(points, variance)
      : pointMixture(
          standardise(points, standardiser),
          standardiser.scale.map((scale) => variance / scale ** 2),
        );
  return weights === undefined ? mixture : { ...mixture, weights };
}
