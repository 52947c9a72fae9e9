import { UnnoiseError } from "../../math/error.ts";
import { sameShape, shapeText, type Tensor, type TypedArrays } from "../../tensor/tensor.ts";
import type { EpsDenoiser } from "../sampler.ts";
import { betaAt, type NoiseSchedule } from "../schedule.ts";
import { checkWidth, type GaussianMixture } from "./mixture.ts";
import { NegativeHessian } from "./negative-hessian.ts";
import { noisedMixture, type NoisedMixture } from "./noised-mixture.ts";
import { posteriorTraceOf } from "./posterior-trace.ts";

/** Element types of the batches that the oracles read; what they return has the same. */
export type RealDType = "float32" | "float64";

/**
 * The exact denoiser of a Gaussian mixture: E[ε|x_t] = −√(1 − ᾱ_t) ∇ log p(x_t), where p(x_t) = Σ_k w_k N(√ᾱ_t m_k, ᾱ_t Σ_k +
 * (1 − ᾱ_t) I) (the score by Vincent 2011, "A connection between score matching and denoising autoencoders"). At ᾱ_T = 0 it
 * is x_t itself, and with zero covariances the ideal denoiser of the means.
 * @returns a denoiser for batches `[B, …D]` at steps 0…T−1; each row costs K·D, or K·D² with full covariances
 * @throws UnnoiseError `usage`, when it is called, for a batch of another width or a step outside 0…T−1
 */
export function mixtureDenoiser(mixture: GaussianMixture, schedule: NoiseSchedule): EpsDenoiser {
  return (xt, step) => {
    betaAt(schedule, step);
    const noised = noisedMixture(mixture, schedule, step);
    const noiseScale = Math.sqrt(noised.noiseVariance);
    return mapRows(xt, noised, (out) => {
      noised.meanResidual(out);
      scaleBy(out, noiseScale);
    });
  };
}

/**
 * The exact score ∇ log p(x_t) = −Σ_k r_k C_k⁻¹ (x_t − √ᾱ_t m_k) of a Gaussian mixture, with C_k = ᾱ_t Σ_k + (1 − ᾱ_t) I and r_k
 * the probability of component k given x_t.
 * @param xt `[B, …D]`, float32 or float64
 * @param step −1…T−1; −1 is the data
 * @returns the score `[B, …D]`, of the same type
 * @throws UnnoiseError `usage` for another width, a step outside −1…T−1, or −1 with a component of zero variance
 */
export function mixtureScore<D extends RealDType>(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: Tensor<D>,
  step: number,
): Tensor<D> {
  const noised = noisedMixture(mixture, schedule, step);
  return mapRows(xt, noised, (out) => {
    noised.meanResidual(out);
    scaleBy(out, -1);
  });
}

/**
 * log p(x_t) of a Gaussian mixture for each row, in nats.
 * @param xt `[B, …D]`, float32 or float64
 * @param step −1…T−1; −1 is the data
 * @returns `[B]`
 * @throws UnnoiseError `usage` as `mixtureScore`
 */
export function mixtureLogDensity<D extends RealDType>(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: Tensor<D>,
  step: number,
): Float64Array {
  const noised = noisedMixture(mixture, schedule, step);
  return valuesOfRows(xt, noised, () => noised.logDensity);
}

/**
 * The exact posterior mean E[x_0|x_t] = Σ_k r_k (m_k + √ᾱ_t Σ_k C_k⁻¹ (x_t − √ᾱ_t m_k)): the best x̂_0 in mean square. Also exact at
 * ᾱ_T = 0, where it is the mean of the data.
 * @param xt `[B, …D]`, float32 or float64
 * @param step −1…T−1; −1 is the data
 * @returns `[B, …D]`, of the same type
 * @throws UnnoiseError `usage` as `mixtureScore`
 */
export function mixturePosteriorMean<D extends RealDType>(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: Tensor<D>,
  step: number,
): Tensor<D> {
  const noised = noisedMixture(mixture, schedule, step);
  return mapRows(xt, noised, (out) => noised.posteriorMean(out));
}

/**
 * The exact tr Cov(x_0|x_t) of each row: what no denoiser can know, summed over the D values. By the law of total variance
 * Σ_k r_k ((1 − ᾱ_t) tr Σ_k C_k⁻¹ + ‖E[x_0|x_t, k] − E[x_0|x_t]‖²).
 * @param xt `[B, …D]`, float32 or float64
 * @param step −1…T−1; −1 is the data
 * @returns `[B]`, each ≥ 0, in squared data units
 * @throws UnnoiseError `usage` as `mixtureScore`
 */
export function mixturePosteriorTrace<D extends RealDType>(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: Tensor<D>,
  step: number,
): Float64Array {
  const noised = noisedMixture(mixture, schedule, step);
  return valuesOfRows(xt, noised, posteriorTraceOf(noised));
}

/**
 * Jᵀv for the Jacobian J = ∂ε/∂x_t of `mixtureDenoiser`: √(1 − ᾱ_t) (Σ_k r_k C_k⁻¹ v − Σ_k r_k d_k d_kᵀ v) with d_k = C_k⁻¹ (x_t −
 * √ᾱ_t m_k) − Σ_j r_j C_j⁻¹ (x_t − √ᾱ_t m_j). J is a Hessian times a number, hence symmetric, so this is Jv as well.
 * @param xt `[B, …D]`, float32 or float64
 * @param step −1…T−1; −1 is the data, where it is 0
 * @param v `[B, …D]`, like `xt`
 * @returns Jᵀv `[B, …D]`, of the same type
 * @throws UnnoiseError `usage` as `mixtureScore`, or for v of another shape
 */
export function mixtureEpsVjp<D extends RealDType>(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: Tensor<D>,
  step: number,
  v: Tensor<D>,
): Tensor<D> {
  if (!sameShape(xt.shape, v.shape)) {
    throw new UnnoiseError("usage", `v: expected shape ${shapeText(xt.shape)}, got ${shapeText(v.shape)}`);
  }
  const noised = noisedMixture(mixture, schedule, step);
  const hessian = new NegativeHessian(noised);
  const row = new Float64Array(mixture.width);
  return mapRows(xt, noised, (out, index) => {
    for (let d = 0; d < row.length; d++) row[d] = v.data[index * row.length + d] as number;
    hessian.apply(row, out);
    scaleBy(out, Math.sqrt(noised.noiseVariance));
  });
}

/**
 * tr ∂ε/∂x_t of `mixtureDenoiser` for each row: the exact trace that an ODE likelihood needs, at the cost of one evaluation.
 * @param xt `[B, …D]`, float32 or float64
 * @param step −1…T−1; −1 is the data, where it is 0
 * @returns `[B]`
 * @throws UnnoiseError `usage` as `mixtureScore`
 */
export function mixtureEpsTrace<D extends RealDType>(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: Tensor<D>,
  step: number,
): Float64Array {
  const noised = noisedMixture(mixture, schedule, step);
  const hessian = new NegativeHessian(noised);
  const noiseScale = Math.sqrt(noised.noiseVariance);
  return valuesOfRows(xt, noised, () => noiseScale * hessian.trace());
}

/** Reads each row of `xt` into `noised` and lets `write` fill the row of the result. */
function mapRows<D extends RealDType>(
  xt: Tensor<D>,
  noised: NoisedMixture,
  write: (out: Float64Array, index: number) => void,
): Tensor<D> {
  const { width } = noised.mixture;
  checkWidth(xt, width);
  const out = xt.data.slice() as TypedArrays[D];
  const row = new Float64Array(width);
  for (let index = 0; index * width < out.length; index++) {
    noised.read(xt.data, index);
    write(row, index);
    out.set(row, index * width);
  }
  return { ...xt, data: out };
}

function valuesOfRows<D extends RealDType>(xt: Tensor<D>, noised: NoisedMixture, value: () => number): Float64Array {
  const { width } = noised.mixture;
  checkWidth(xt, width);
  return Float64Array.from({ length: xt.data.length / width }, (_, index) => {
    noised.read(xt.data, index);
    return value();
  });
}

function scaleBy(values: Float64Array, scale: number): void {
  for (let d = 0; d < values.length; d++) values[d] = scale * (values[d] as number);
}
