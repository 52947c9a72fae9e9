import type { FloatTensor } from "../tensor/tensor.ts";
import { toyDatasets, type ToyName } from "./toy.ts";

/** Points to learn from. */
export interface Dataset {
  readonly name: string;
  /** One name for each column. */
  readonly columns: readonly string[];
  /** Points `[N, D]` in raw units. */
  readonly points: FloatTensor;
  /** Draws `count` new points `[count, D]`, none of them among `points`, where the generator is known. */
  readonly draw?: (count: number, seed: number) => FloatTensor;
}

/** Size and randomness of a toy data set. */
export interface ToyDatasetOptions {
  /** Number of points, 1…2^31. */
  readonly count?: number;
  /** Standard deviation of the noise, ≥ 0; the set's usual one by default. */
  readonly noise?: number;
  /** Integer in 0…2^53−1. */
  readonly seed?: number;
}

const DEFAULT_COUNT = 50_000;
/** Fresh draws are numbered from here on, so that they are new even under the seed of the data set. */
const FIRST_FRESH_INDEX = 2 ** 31;

/**
 * One of the toy sets as a data set that can also draw fresh points.
 * @throws UnnoiseError `usage` for an option out of range
 */
export function toyDataset(name: ToyName, options: ToyDatasetOptions = {}): Dataset {
  const { generate, noise: usualNoise } = toyDatasets[name];
  const { count = DEFAULT_COUNT, noise = usualNoise, seed = 0 } = options;
  return {
    name,
    columns: ["x", "y"],
    points: generate({ count, noise, seed }),
    draw: (fresh, freshSeed) => generate({ count: fresh, noise, seed: freshSeed, firstIndex: FIRST_FRESH_INDEX }),
  };
}
