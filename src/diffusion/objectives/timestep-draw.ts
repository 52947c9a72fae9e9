import { at } from "../../math/error.ts";
import type { Random } from "../../math/random.ts";
import type { LossMoments } from "./loss-moments.ts";

/**
 * How the steps of a batch are drawn: `uniform`, each by itself; `antithetic`, in pairs t and T − 1 − t (Song et al. 2020's code,
 * arXiv 2010.02502), which evens out a batch; `importance`, as often as their losses are large, with weights that make up for it
 * (Nichol & Dhariwal 2021, section 3.3, arXiv 2102.09672).
 */
export const timestepDraws = ["uniform", "antithetic", "importance"] as const;
export type TimestepDraw = (typeof timestepDraws)[number];

/** Fills `steps` [B] with uniform draws from 0…T−1, addressed by the iteration. */
export function drawUniform(steps: Int32Array, timesteps: number, random: Random, iteration: number): void {
  random.integers(steps, timesteps, 0, iteration);
}

/** Fills `steps` [B] with ⌊B/2⌋ + 1 uniform draws t and then T − 1 − t of each in turn, as many as fit. */
export function drawAntithetic(steps: Int32Array, timesteps: number, random: Random, iteration: number): void {
  const half = Math.floor(steps.length / 2) + 1;
  const drawn = new Int32Array(half);
  random.integers(drawn, timesteps, 0, iteration);
  for (let i = 0; i < steps.length; i++) steps[i] = i < half ? at(drawn, i) : timesteps - 1 - at(drawn, i - half);
}

/**
 * Fills `steps` [B] with draws from the probabilities that losses so far suggest, and `weights` [B] with 1/(T·p), so that weighted
 * means estimate what uniform draws do.
 */
export function drawByImportance(
  steps: Int32Array,
  weights: Float32Array,
  moments: LossMoments,
  random: Random,
  iteration: number,
): void {
  const probabilities = moments.probabilities();
  if (!probabilities) {
    drawUniform(steps, moments.timesteps, random, iteration);
    weights.fill(1);
    return;
  }
  const sums = runningSums(probabilities);
  const places = new Float64Array(steps.length);
  random.uniforms(places, 1, 0, iteration);
  places.forEach((place, i) => {
    const step = firstAbove(sums, place * at(sums, sums.length - 1));
    steps[i] = step;
    weights[i] = 1 / (probabilities.length * at(probabilities, step));
  });
}

function runningSums(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => (sum += value));
}

/** The first index whose running sum is above `place`, by bisection. */
function firstAbove(sums: Float64Array, place: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(sums, middle) > place) high = middle;
    else low = middle + 1;
  }
  return low;
}
