import type { GaussianMixture } from "../diffusion/oracles/mixture.ts";

/** tr Cov(x_0) of a Gaussian mixture: Σ_k w_k (tr Σ_k + ‖m_k − m‖²) with the mean m = Σ_k w_k m_k. */
export function mixtureVariance({ width, weights, means, variances }: GaussianMixture): number {
  const stride = variances.length === width ? 0 : width;
  let total = 0;
  for (let d = 0; d < width; d++) {
    const mean = weights.reduce((sum, weight, k) => sum + weight * (means[k * width + d] as number), 0);
    for (let k = 0; k < weights.length; k++) {
      const own = (variances[k * stride + d] as number) + ((means[k * width + d] as number) - mean) ** 2;
      total += (weights[k] as number) * own;
    }
  }
  return total;
}
