import type { FloatTensor } from "../tensor/tensor.ts";
import { type RowSum, pointSets, sumOverPairs, sumWithin } from "./points.ts";

const sumOfRoots: RowSum = (squared, first) => {
  let sum = 0;
  for (let j = first; j < squared.length; j++) sum += Math.sqrt(squared[j] as number);
  return sum;
};

/**
 * The energy distance √(2E‖A−B‖ − E‖A−A′‖ − E‖B−B′‖) of two samples, with means over all pairs (V-statistic; Székely and
 * Rizzo 2013, "Energy statistics: a class of statistics based on distances"). Never negative, zero only for equal samples.
 * @param a points `[m, …D]`
 * @param b points `[n, …D]`
 * @returns the distance ≥ 0, in the square root of the unit of the points
 * @throws UnnoiseError `usage` for sets of unlike dimension, `not-finite` for a value that is not finite
 */
export function energyDistance(a: FloatTensor, b: FloatTensor): number {
  const [from, to] = pointSets("energy distance", a, b);
  const m = from.count;
  const n = to.count;
  const across = (2 * sumOverPairs(from, to, sumOfRoots)) / (m * n);
  const within = (2 * sumWithin(from, sumOfRoots)) / m ** 2 + (2 * sumWithin(to, sumOfRoots)) / n ** 2;
  return Math.sqrt(Math.max(0, across - within));
}
