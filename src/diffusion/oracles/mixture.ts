import { UnnoiseError, at } from "../../math/error.ts";
import { symmetricEigen, type Eigensystem } from "../../math/symmetric-eigen.ts";
import { shapeText, sizeOf, type FloatTensor } from "../../tensor/tensor.ts";
import { sampleWidth } from "../sampler.ts";

/** Σ_k w_k N(m_k, Σ_k) over samples of D values, as `gaussianMixture` and `pointMixture` make it: plain float64 data. */
export interface GaussianMixture {
  /** D. */
  readonly width: number;
  /** w `[K]`, each ≥ 0, of sum 1. */
  readonly weights: Float64Array;
  /** m `[K, D]`. */
  readonly means: Float64Array;
  /** Variances along each component's axes, ≥ 0: `[K, D]`, or `[D]` where all components share them. */
  readonly variances: Float64Array;
  /** Unit axes of each component as rows, `[K, D, D]`; absent where the axes are the coordinates. */
  readonly axes?: Float64Array;
}

/** A covariance: s² for s² I, D variances for a diagonal, or D rows of D values. Zero variances are allowed. */
export type Covariance = number | readonly number[] | readonly (readonly number[])[];

/** What `gaussianMixture` takes. */
export interface GaussianMixtureOptions {
  /** m, one row of D finite values for each component. */
  readonly means: readonly (readonly number[])[];
  /** One for each component, or a single one for all of them. */
  readonly covariances: readonly Covariance[];
  /** Relative weights ≥ 0; equal if absent. */
  readonly weights?: readonly number[];
}

/**
 * A mixture of Gaussians with any covariances. Full ones are diagonalised once, which makes every noised covariance ᾱ Σ_k +
 * (1 − ᾱ) I diagonal on the same axes.
 * @throws UnnoiseError `usage` for no component, unlike lengths, or a covariance that is not symmetric and positive
 * semi-definite
 */
export function gaussianMixture({ means, covariances, weights }: GaussianMixtureOptions): GaussianMixture {
  const count = means.length;
  const width = means[0]?.length ?? 0;
  if (width === 0 || !means.every((mean) => mean.length === width && mean.every(Number.isFinite))) {
    throw new UnnoiseError("usage", "means: expected at least one row, all of the same number ≥ 1 of finite values");
  }
  if (covariances.length !== count && covariances.length !== 1) {
    throw new UnnoiseError("usage", `covariances: expected 1 or ${count}, got ${covariances.length}`);
  }
  const shape = { width, weights: normalised(weights, count), means: Float64Array.from(means.flat()) };
  const diagonals = covariances.flatMap((covariance) => (isFull(covariance) ? [] : [diagonalOf(covariance, width)]));
  if (diagonals.length === covariances.length) return { ...shape, variances: joined(diagonals) };
  const spectra = covariances.map((covariance) => spectrumOf(covariance, width));
  const each = Array.from({ length: count }, (_, k) => at(spectra, covariances.length === 1 ? 0 : k));
  return {
    ...shape,
    variances: joined(each.map(({ values }) => values)),
    axes: joined(each.map(({ vectors }) => vectors)),
  };
}

/**
 * Equal Gaussians around points: N(x_i, diag s²) each with weight 1/n. With s² = 0, the finite data set itself.
 * @param points `[n, …D]`, n ≥ 1, finite
 * @param variance s² ≥ 0: one for all coordinates, or D of them
 * @throws UnnoiseError `usage` for no points or a wrong variance, `not-finite` for a point that is not finite
 */
export function pointMixture(points: FloatTensor, variance: number | readonly number[] = 0): GaussianMixture {
  const width = sampleWidth(points.shape);
  if (sizeOf(points.shape) === 0) throw new UnnoiseError("usage", "points: expected at least one, got none");
  const broken = points.data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const place = `point ${Math.floor(broken / width)}, value ${broken % width}`;
    throw new UnnoiseError("not-finite", `${place}: expected a finite number, got ${at(points.data, broken)}`);
  }
  const means = Float64Array.from(points.data);
  return { width, weights: normalised(undefined, means.length / width), means, variances: diagonalOf(variance, width) };
}

/** Throws unless a batch `[B, …D]` holds samples of `width` values. */
export function checkWidth(xt: { readonly shape: readonly number[] }, width: number): void {
  if (sampleWidth(xt.shape) === width) return;
  throw new UnnoiseError("usage", `oracle: expected samples of ${width} values, got shape ${shapeText(xt.shape)}`);
}

function normalised(weights: readonly number[] | undefined, count: number): Float64Array {
  if (weights === undefined) return new Float64Array(count).fill(1 / count);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (weights.length !== count || !weights.every((weight) => weight >= 0) || !(total > 0 && total < Infinity)) {
    throw new UnnoiseError("usage", `weights: expected ${count} finite numbers ≥ 0, not all 0, got ${weights.length}`);
  }
  return Float64Array.from(weights, (weight) => weight / total);
}

function isFull(covariance: Covariance): covariance is readonly (readonly number[])[] {
  return typeof covariance !== "number" && typeof covariance[0] !== "number";
}

function diagonalOf(variance: Exclude<Covariance, readonly (readonly number[])[]>, width: number): Float64Array {
  const values = typeof variance === "number" ? new Float64Array(width).fill(variance) : Float64Array.from(variance);
  if (values.length !== width || !values.every((value) => value >= 0 && value < Infinity)) {
    throw new UnnoiseError("usage", `variance: expected ${width} finite numbers ≥ 0, got [${values.join(", ")}]`);
  }
  return values;
}

/** Eigenvalues that rounding left just below zero count as zero. */
function spectrumOf(covariance: Covariance, width: number): Eigensystem {
  const rows = isFull(covariance) ? covariance : diagonalRows(diagonalOf(covariance, width));
  const { values, vectors } = symmetricEigen(rows.flat(), width);
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const least = values.reduce((low, value) => Math.min(low, value), Infinity);
  if (least < -1e-9 * largest || largest < -least) {
    throw new UnnoiseError("usage", `covariance: expected eigenvalues ≥ 0, got ${least}; is it a covariance?`);
  }
  return { values: values.map((value) => Math.max(0, value)), vectors };
}

function diagonalRows(values: Float64Array): number[][] {
  return Array.from(values, (value, i) => Array.from(values, (_, j) => (i === j ? value : 0)));
}

function joined(arrays: readonly Float64Array[]): Float64Array {
  const length = at(arrays, 0).length;
  const out = new Float64Array(arrays.length * length);
  arrays.forEach((array, k) => out.set(array, k * length));
  return out;
}
