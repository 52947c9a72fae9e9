import { UnnoiseError, at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { mixtureDenoiser } from "./oracles/mixture-denoiser.ts";
import { checkWidth, pointMixture } from "./oracles/mixture.ts";
import type { EpsDenoiser } from "./sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/** A Gaussian N(mean, diag(variance)) over samples of as many values. */
export interface DiagonalGaussian {
  readonly mean: readonly number[];
  /** Each ≥ 0. */
  readonly variance: readonly number[];
}

/**
 * The exact denoiser of Gaussian data N(m, diag s²): E[ε|x_t] = √(1 − ᾱ_t) (x_t − √ᾱ_t m)/(ᾱ_t s² + 1 − ᾱ_t), which follows
 * from x_t ~ N(√ᾱ_t m, ᾱ_t s² + 1 − ᾱ_t). A test oracle, and the best any network can do on such data.
 * @returns a denoiser for batches `[B, …D]` with D values = the length of `mean`
 * @throws UnnoiseError `usage` when mean and variance differ in length, a variance is negative, or a batch has another width
 */
export function gaussianDenoiser({ mean, variance }: DiagonalGaussian, schedule: NoiseSchedule): EpsDenoiser {
  if (mean.length !== variance.length || !variance.every((value) => value >= 0)) {
    throw new UnnoiseError("usage", `variance: expected ${mean.length} numbers ≥ 0, got [${variance.join(", ")}]`);
  }
  return (xt, step) => {
    checkWidth(xt, mean.length);
    const alphaCumprod = alphaCumprodAt(schedule, step);
    const noiseVariance = noiseVarianceAt(schedule, step);
    const scale = variance.map((s2) => Math.sqrt(noiseVariance) / (alphaCumprod * s2 + noiseVariance));
    const centre = mean.map((m) => Math.sqrt(alphaCumprod) * m);
    const data = xt.data.map((x, i) => at(scale, i % mean.length) * (x - at(centre, i % mean.length)));
    return { ...xt, data };
  };
}

/**
 * The exact denoiser of a finite data set, each point equally likely: x̂_0 = Σ_i w_i x_i with w = softmax(−‖x_t − √ᾱ_t x_i‖²
 * / (2 (1 − ᾱ_t))), turned into ε (Karras et al. 2022, appendix B.3, arXiv 2206.00364). Its samples are the points themselves.
 * It is `mixtureDenoiser` with zero covariances.
 * @param points `[n, …D]`, n ≥ 1
 * @returns a denoiser for batches `[B, …D]`; each row costs n·D
 * @throws UnnoiseError `usage` for no points, or a batch of another width; `not-finite` for a point that is not finite
 */
export function idealDenoiser(points: FloatTensor, schedule: NoiseSchedule): EpsDenoiser {
  return mixtureDenoiser(pointMixture(points), schedule);
}
