import { UnnoiseError, at } from "../math/error.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { predictEpsFromX0 } from "./parameterisation.ts";
import { sampleWidth, type EpsDenoiser } from "./sampler.ts";
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
 * @param points `[n, …D]`, n ≥ 1
 * @returns a denoiser for batches `[B, …D]`; each row costs n·D
 * @throws UnnoiseError `usage` for no points, or a batch of another width
 */
export function idealDenoiser(points: FloatTensor, schedule: NoiseSchedule): EpsDenoiser {
  const width = sampleWidth(points.shape);
  if (sizeOf(points.shape) === 0) throw new UnnoiseError("usage", "points: expected at least one, got none");
  return (xt, step) => {
    checkWidth(xt, width);
    const x0 = new Float32Array(xt.data.length);
    for (let offset = 0; offset < x0.length; offset += width) {
      const weights = pointWeights(xt.data.subarray(offset, offset + width), points.data, schedule, step);
      x0.set(weightedMean(weights, points.data, width), offset);
    }
    return predictEpsFromX0(xt, { ...xt, data: x0 }, schedule, step);
  };
}

/** Posterior probability of each point given one noised row: the softmax is taken relative to the nearest point. */
function pointWeights(row: Float32Array, points: Float32Array, schedule: NoiseSchedule, step: number): Float64Array {
  const signalScale = Math.sqrt(alphaCumprodAt(schedule, step));
  const noiseVariance = noiseVarianceAt(schedule, step);
  const distances = new Float64Array(points.length / row.length);
  for (let i = 0; i < points.length; i++) {
    const point = Math.floor(i / row.length);
    distances[point] = at(distances, point) + (at(row, i % row.length) - signalScale * at(points, i)) ** 2;
  }
  const nearest = distances.reduce((least, distance) => Math.min(least, distance), Infinity);
  const weights = distances.map((distance) => Math.exp((nearest - distance) / (2 * noiseVariance)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function weightedMean(weights: Float64Array, points: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  points.forEach((value, i) => {
    mean[i % width] = at(mean, i % width) + at(weights, Math.floor(i / width)) * value;
  });
  return mean;
}

function checkWidth(xt: FloatTensor, width: number): void {
  if (sampleWidth(xt.shape) === width) return;
  throw new UnnoiseError("usage", `oracle: expected samples of ${width} values, got shape [${xt.shape.join(", ")}]`);
}
