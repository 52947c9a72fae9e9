import type { FloatTensor } from "../tensor/tensor.ts";
import type { DrawOptions as PointRows } from "./scatter.ts";
import { toyClasses } from "./toy-labels.ts";
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
  /** Draws points by their numbers, those of `points` from 0, where the generator is known. */
  readonly drawRows?: (rows: PointRows) => FloatTensor;
  /** Class of each point, `[N]`, where they have one. */
  readonly labels?: Int32Array;
  /** Name of each class. */
  readonly classes?: readonly string[];
  /** The file that a density was read from: with it `points` and `draw` can be made again. */
  readonly source?: DensitySource;
  /** What the user should know of how they were read, and of what is odd about them. */
  readonly warnings?: readonly string[];
}

/** A file that describes a density. */
export interface DensitySource {
  /** Ending of its name, in small letters, such as `.png`. */
  readonly ending: string;
  readonly bytes: Uint8Array;
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
 * A data set drawn from a known distribution.
 * @param generate draws points `[count, D]`, each the same whatever the count
 * @throws UnnoiseError `usage` for a count or seed out of range
 */
export function drawnDataset(
  { name, columns }: Pick<Dataset, "name" | "columns">,
  generate: (rows: PointRows) => FloatTensor,
  { count = DEFAULT_COUNT, seed = 0 }: Omit<ToyDatasetOptions, "noise"> = {},
): Dataset {
  return {
    name,
    columns,
    points: generate({ count, seed }),
    drawRows: generate,
    draw: (fresh, freshSeed) => generate({ count: fresh, seed: freshSeed, firstIndex: FIRST_FRESH_INDEX }),
  };
}

/**
 * One of the toy sets as a data set that can also draw fresh points; each point has one of two classes.
 * @throws UnnoiseError `usage` for an option out of range
 */
export function toyDataset(name: ToyName, options: ToyDatasetOptions = {}): Dataset {
  const { generate, noise: usualNoise } = toyDatasets[name];
  const { classes, label } = toyClasses[name];
  const { count = DEFAULT_COUNT, noise = usualNoise, seed = 0 } = options;
  const drawn = drawnDataset({ name, columns: ["x", "y"] }, (each) => generate({ ...each, noise }), { count, seed });
  return { ...drawn, labels: label({ count, seed }), classes };
}
