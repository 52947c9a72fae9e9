import { UnnoiseError } from "../math/error.ts";
import { innerProducts } from "../math/inner-products.ts";
import { type FloatTensor, shapeText } from "../tensor/tensor.ts";

/** Mean and covariance of feature vectors. */
export interface FeatureMoments {
  /** Vectors seen. */
  readonly count: number;
  /** F: features of a vector. */
  readonly width: number;
  /** μ [F]. */
  readonly mean: Float64Array;
  /** Σ [F, F], with the divisor count − 1. */
  readonly covariance: Float64Array;
}

/** Vectors that enter the sums together. */
const CHUNK = 256;

/**
 * Mean and covariance of a stream of feature vectors in float64. Batches are merged by their means and centred squares (Chan,
 * Golub and LeVeque 1983), so that a large mean costs no digits and the batch size does not matter.
 */
export class FeatureStatistics {
  readonly width: number;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  readonly #shift: Float64Array;
  readonly #products: Float64Array;
  #count = 0;

  /** @param width F, features of a vector; integer ≥ 1 */
  constructor(width: number) {
    this.width = width;
    this.#mean = new Float64Array(width);
    this.#squares = new Float64Array(width * width);
    this.#shift = new Float64Array(width);
    this.#products = new Float64Array(width * width);
  }

  /**
   * Takes vectors in.
   * @param features `[n, F]` row by row
   * @throws UnnoiseError `usage` for vectors of another width, `not-finite` for a feature that is not finite
   */
  add(features: Float32Array): void {
    const { width } = this;
    if (features.length % width !== 0) {
      throw new UnnoiseError("usage", `features: expected vectors of ${width} values, got ${features.length} values`);
    }
    checkFinite(features, width, this.#count);
    for (let start = 0; start < features.length; start += CHUNK * width) {
      this.#merge(features.subarray(start, start + CHUNK * width));
    }
  }

  /**
   * The moments of all vectors so far.
   * @throws UnnoiseError `usage` for fewer than two
   */
  moments(): FeatureMoments {
    const count = this.#count;
    if (count < 2) throw new UnnoiseError("usage", `features: a covariance needs 2 vectors at least, got ${count}`);
    const covariance = this.#squares.map((square) => square / (count - 1));
    return { count, width: this.width, mean: this.#mean.slice(), covariance };
  }

  #merge(chunk: Float32Array): void {
    const { width } = this;
    const rows = chunk.length / width;
    const centred = new Float64Array(chunk.length);
    const total = this.#count + rows;
    for (let f = 0; f < width; f++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += chunk[i * width + f] as number;
      const mean = sum / rows;
      for (let i = 0; i < rows; i++) centred[f * rows + i] = (chunk[i * width + f] as number) - mean;
      this.#shift[f] = mean - (this.#mean[f] as number);
    }
    this.#addSquares(innerProducts(centred, centred, rows, this.#products), (this.#count * rows) / total);
    for (let f = 0; f < width; f++) {
      this.#mean[f] = (this.#mean[f] as number) + ((this.#shift[f] as number) * rows) / total;
    }
    this.#count = total;
  }

  /** M ← M + M_chunk + δ·δᵀ·n·m/(n + m). */
  #addSquares(products: Float64Array, weight: number): void {
    const { width } = this;
    for (let f = 0, i = 0; f < width; f++) {
      const along = weight * (this.#shift[f] as number);
      for (let g = 0; g < width; g++, i++) {
        const square = (products[i] as number) + along * (this.#shift[g] as number);
        this.#squares[i] = (this.#squares[i] as number) + square;
      }
    }
  }
}

/**
 * The moments of a whole matrix of features.
 * @param features `[n, F]`, n ≥ 2
 * @throws UnnoiseError as `FeatureStatistics`, and `usage` for another shape
 */
export function featureMoments(features: FloatTensor): FeatureMoments {
  const statistics = new FeatureStatistics(featureWidth(features));
  statistics.add(features.data);
  return statistics.moments();
}

/**
 * F of features `[n, F]`.
 * @throws UnnoiseError `usage` for a tensor of another rank or without values
 */
export function featureWidth({ shape }: FloatTensor): number {
  const [count = 0, width = 0] = shape;
  if (shape.length !== 2 || count === 0 || width === 0) {
    throw new UnnoiseError("usage", `features: expected a matrix [images, features], got ${shapeText(shape)}`);
  }
  return width;
}

/**
 * Refuses features that are not numbers.
 * @param first index of the first vector, for the message
 * @throws UnnoiseError `not-finite`
 */
export function checkFinite(features: Float32Array, width: number, first = 0): void {
  const broken = features.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  const place = `feature ${broken % width} of image ${first + Math.floor(broken / width)}`;
  throw new UnnoiseError("not-finite", `features: ${place} is ${features[broken] ?? NaN}; scores need finite features`);
}
