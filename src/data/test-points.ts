import { at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import type { Point } from "./scatter.ts";

/** Points that a test of a toy set looks at. */
export const COUNT = 20_000;

export function pointsOf({ data }: FloatTensor): Point[] {
  return Array.from({ length: data.length / 2 }, (_, i) => [at(data, 2 * i), at(data, 2 * i + 1)]);
}

/** How many standard errors a count lies from what its probability lets expect. */
export function deviation(count: number, trials: number, probability: number): number {
  return Math.abs(count - trials * probability) / Math.sqrt(trials * probability * (1 - probability));
}

/** How many standard errors each of the numbers 0…kinds−1 lies from being as frequent as the others. */
export function shares(kinds: number, drawn: readonly number[]): number[] {
  return Array.from({ length: kinds }, (_, kind) =>
    deviation(drawn.filter((each) => each === kind).length, drawn.length, 1 / kinds),
  );
}
