import { UnnoiseError, at } from "../math/error.ts";
import { innerProducts } from "../math/inner-products.ts";
import { Random } from "../math/random.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { checkFinite, featureWidth } from "./feature-statistics.ts";

export interface KidOptions {
  /** Images in a subset of each set; a tenth of the smaller set, at most 1000, if absent. */
  readonly subsetSize?: number;
  /** Subsets; as many as both sets hold without using an image twice, if absent. */
  readonly subsets?: number;
  /** Seed of the subsets. */
  readonly seed: number;
}

/** A kernel distance with what it depends on. */
export interface Kid {
  /** MMD², mean over the subsets; below 0 by chance where the sets are alike. */
  readonly value: number;
  /** Standard error of the mean. */
  readonly error: number;
  readonly subsets: number;
  readonly subsetSize: number;
}

/**
 * Kernel inception distance (Bińkowski et al. 2018, arXiv 1801.01401, section 3.1): the unbiased MMD² (Gretton et al. 2012, eq.
 * 3) with the kernel (x·y/F + 1)³, mean over random subsets. The paper draws subsets that may share images; here no image
 * is used twice until all are used, so that subsets are independent and their spread gives the error. Where more are asked for
 * than that gives, the error is still that of the independent ones: it errs on the large side.
 * @param real features `[n, F]`
 * @param generated features `[m, F]`
 * @throws UnnoiseError `usage` for other shapes or subsets that the sets do not hold, `not-finite` for a feature that is not
 * finite
 */
export function kid(real: FloatTensor, generated: FloatTensor, options: KidOptions): Kid {
  const width = sameWidth(real, generated);
  const smaller = Math.min(at(real.shape, 0), at(generated.shape, 0));
  const { subsetSize = Math.max(2, Math.min(1000, Math.floor(smaller / 10))), seed } = options;
  const independent = Math.floor(smaller / subsetSize);
  const { subsets = independent } = options;
  checkSubsets(subsetSize, subsets, smaller);
  const values = Array.from({ length: subsets }, (_, index) => {
    const pick = (features: FloatTensor, set: number) => subset(features, index, subsetSize, seed, set);
    return polynomialMmd(pick(real, 0), pick(generated, 1), width);
  });
  const value = values.reduce((sum, one) => sum + one, 0) / subsets;
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / (subsets - 1);
  return { value, error: Math.sqrt(variance / Math.min(subsets, independent)), subsets, subsetSize };
}

/**
 * The unbiased estimate of MMD² with the kernel (x·y/F + 1)³ between two whole sets.
 * @param x `[m, F]` row by row, m ≥ 2
 * @param y `[n, F]` row by row, n ≥ 2
 */
export function polynomialMmd(x: Float64Array, y: Float64Array, width: number): number {
  const [m, n] = [x.length / width, y.length / width];
  const across = kernelSum(x, y, width, false);
  return (
    kernelSum(x, x, width, true) / (m * (m - 1)) + kernelSum(y, y, width, true) / (n * (n - 1)) - (2 * across) / (m * n)
  );
}

const ROWS = 256;

/** Σ k(x_i, y_j), without i = j where `offDiagonal`; some rows of products in memory at a time. */
function kernelSum(x: Float64Array, y: Float64Array, width: number, offDiagonal: boolean): number {
  const n = y.length / width;
  let total = 0;
  for (let start = 0; start * width < x.length; start += ROWS) {
    const rows = x.subarray(start * width, (start + ROWS) * width);
    const products = innerProducts(rows, y, width, new Float64Array((rows.length / width) * n));
    total += products.reduce((sum, product) => sum + (product / width + 1) ** 3, 0);
    if (!offDiagonal) continue;
    for (let i = 0; i * width < rows.length; i++) total -= ((products[i * n + start + i] as number) / width + 1) ** 3;
  }
  return total;
}

/** Rows of subset `index`: the next `size` of a permutation, and of another once one is used up. */
function subset({ shape, data }: FloatTensor, index: number, size: number, seed: number, set: number): Float64Array {
  const [count, width] = [at(shape, 0), at(shape, 1)];
  const inOne = Math.floor(count / size);
  const order = new Random(seed, "metric").permutation(count, 2 * Math.floor(index / inOne) + set);
  const chosen = order.subarray((index % inOne) * size, ((index % inOne) + 1) * size);
  const rows = new Float64Array(size * width);
  chosen.forEach((row, i) => rows.set(data.subarray(row * width, (row + 1) * width), i * width));
  return rows;
}

function sameWidth(real: FloatTensor, generated: FloatTensor): number {
  const [width, other] = [featureWidth(real), featureWidth(generated)];
  if (width !== other) {
    throw new UnnoiseError("usage", `KID: both sets need the same features, got ${width} and ${other} of them`);
  }
  for (const { data } of [real, generated]) checkFinite(data, width);
  return width;
}

function checkSubsets(size: number, subsets: number, smaller: number): void {
  if (!Number.isInteger(size) || size < 2 || size > smaller) {
    throw new UnnoiseError("usage", `KID: subsetSize must be an integer in 2…${smaller}, got ${size}`);
  }
  if (!Number.isInteger(subsets) || subsets < 2) {
    throw new UnnoiseError(
      "usage",
      `KID: 2 subsets at least are needed for an error, got ${subsets}; take smaller ones`,
    );
  }
}
