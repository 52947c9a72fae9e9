import { at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { scatter, type Point, type ToyOptions } from "./scatter.ts";
import { circle } from "./toy-curves.ts";

/** Means of `eightGaussians`. */
export const ring: readonly Point[] = Array.from({ length: 8 }, (_, k) => circle(k / 8, 1));

/**
 * Eight equally likely Gaussians around points evenly spaced on the unit circle, the first at (1, 0); their deviation is the
 * noise. The usual ⅛ is that of Grathwohl et al. 2019 ("FFJORD", arXiv:1810.01367, code: radius 4, deviation ½); with 0.01 they
 * are those of Gulrajani et al. 2017 ("Improved training of Wasserstein GANs", arXiv:1704.00028, figure 2; code).
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function eightGaussians(options: ToyOptions): FloatTensor {
  return around(options, ring);
}

/** Means of `twentyFiveGaussians`. */
export const grid: readonly Point[] = Array.from({ length: 25 }, (_, k) => [
  (k % 5) / 2 - 1,
  Math.floor(k / 5) / 2 - 1,
]);

/**
 * Twenty-five equally likely Gaussians around the points of a 5 × 5 grid over [−1, 1]², ½ apart; their deviation is the noise.
 * The usual one, 0.05, is a tenth of their distance; with 0.0125 they are those of Gulrajani et al. 2017 ("Improved training of
 * Wasserstein GANs", arXiv:1704.00028, figure 2; code: 2 apart, deviation 0.05, then all divided by 2.828).
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function twentyFiveGaussians(options: ToyOptions): FloatTensor {
  return around(options, grid);
}

function around(options: ToyOptions, means: readonly Point[]): FloatTensor {
  return scatter(options, 1, ([which = 0]) => at(means, Math.floor(which * means.length)));
}
