import { UnnoiseError } from "../math/error.ts";
import { innerProducts } from "../math/inner-products.ts";
import { semidefiniteFactor } from "../math/semidefinite-factor.ts";
import { symmetricEigenvalues } from "../math/symmetric-eigenvalues.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { type FeatureMoments, featureMoments } from "./feature-statistics.ts";

/**
 * The Fréchet distance of two Gaussians, squared: |μ1 − μ2|² + tr(Σ1 + Σ2 − 2·(Σ1Σ2)^½) (Dowson and Landau 1982; as FID in
 * Heusel et al. 2017, arXiv 1706.08500, eq. 6). With Σ1 = WᵀW the eigenvalues of Σ1Σ2 are those of the symmetric W·Σ2·Wᵀ and
 * 0, so no square root of a product that is not symmetric is needed, and singular covariances do no harm.
 * @param a moments of one set of feature vectors
 * @param b moments of another, of the same width
 * @returns the distance ≥ 0, in squared units of the features
 * @throws UnnoiseError `usage` for unlike widths
 */
export function frechetDistance(a: FeatureMoments, b: FeatureMoments): number {
  if (a.width !== b.width) {
    throw new UnnoiseError("usage", `FID: both sets need the same features, got ${a.width} and ${b.width} of them`);
  }
  let distance = 0;
  for (let f = 0; f < a.width; f++) {
    const i = f * (a.width + 1);
    const shift = (a.mean[f] as number) - (b.mean[f] as number);
    distance += shift ** 2 + (a.covariance[i] as number) + (b.covariance[i] as number);
  }
  return Math.max(0, distance - 2 * traceOfRoot(a, b));
}

/**
 * FID of two sets of features (see `frechetDistance`).
 * @param real `[n, F]`
 * @param generated `[m, F]`
 * @throws UnnoiseError `usage` for other shapes or fewer than two rows, `not-finite` for a feature that is not finite
 */
export function fid(real: FloatTensor, generated: FloatTensor): number {
  return frechetDistance(featureMoments(real), featureMoments(generated));
}

/** tr((Σ1Σ2)^½) = Σ √λ over the eigenvalues of W·Σ2·Wᵀ; the set with fewer vectors gives the smaller W. */
function traceOfRoot(a: FeatureMoments, b: FeatureMoments): number {
  const [few, many] = a.count <= b.count ? [a, b] : [b, a];
  const { rank, rows } = semidefiniteFactor(few.covariance, few.width);
  const half = innerProducts(rows, many.covariance, few.width, new Float64Array(rank * few.width));
  const product = innerProducts(half, rows, few.width, new Float64Array(rank * rank));
  const values = symmetricEigenvalues(product, rank);
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  // What rounding leaves of an eigenvalue 0 would count with its root, which is far larger.
  const negligible = rank * Number.EPSILON * largest;
  return values.reduce((sum, value) => (value > negligible ? sum + Math.sqrt(value) : sum), 0);
}
