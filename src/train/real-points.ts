import type { Dataset } from "../data/dataset.ts";
import { takeRows } from "../data/rows.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { grouped } from "../math/text.ts";
import type { FloatTensor } from "../tensor/tensor.ts";

type FloorPairs = readonly (readonly [FloatTensor, FloatTensor])[];

/** Real points to measure samples against, in raw units. */
export interface RealPoints {
  /** `[count, D]`. */
  readonly reference: FloatTensor;
  /** Pairs of independent draws, each like the reference. */
  readonly floorPairs: FloorPairs;
  readonly count: number;
  /** Where reference and floor come from. */
  readonly note: string;
}

const FLOOR_PAIRS = 3;
const LEAST_POINTS = 10;
/** Shuffles are numbered from here on, past the directions that sliced W2 draws from the same stream. */
const FIRST_SHUFFLE = 2 ** 20;
const MAX_SEED = 2 ** 53 - 1;

const nearbySeed = (seed: number, offset: number): number =>
  seed + offset <= MAX_SEED ? seed + offset : seed - offset;

/**
 * Fresh points where the generator is known, else disjoint halves of what there is.
 * @param count points asked for; of a finite data set at most half
 * @throws UnnoiseError `data` for a data set that is too small
 */
export function realPoints(dataset: Dataset, count: number, seed: number): RealPoints {
  const { draw, points } = dataset;
  if (!draw) return halves(points, count, seed);
  const fresh = (offset: number): FloatTensor => draw(count, nearbySeed(seed, offset));
  const floorPairs = Array.from({ length: FLOOR_PAIRS }, (_, i) => [fresh(2 * i + 1), fresh(2 * i + 2)] as const);
  const note = `floor: fresh data against fresh data, median of ${FLOOR_PAIRS}`;
  return { reference: fresh(0), floorPairs, count, note };
}

function halves(points: FloatTensor, asked: number, seed: number): RealPoints {
  const total = at(points.shape, 0);
  const count = Math.min(asked, Math.floor(total / 2));
  if (count < LEAST_POINTS) {
    throw new UnnoiseError(
      "data",
      `evaluate: expected at least ${2 * LEAST_POINTS} points in the data, and --count at least ${LEAST_POINTS}; got ${total} and ${asked}`,
    );
  }
  const random = new Random(seed, "metric");
  const half = (shuffle: number, which: number): FloatTensor => {
    const order = random.permutation(total, FIRST_SHUFFLE + shuffle);
    return takeRows(points, order.subarray(which * count, (which + 1) * count));
  };
  const floorPairs = Array.from({ length: FLOOR_PAIRS }, (_, i) => [half(i + 1, 0), half(i + 1, 1)] as const);
  const limit =
    count < asked ? ` (--count ${asked} needs ${grouped(2 * asked)} points, the data has ${grouped(total)})` : "";
  const note = `floor: random halves of the data against each other, median of ${FLOOR_PAIRS}${limit}`;
  return { reference: half(0, 0), floorPairs, count, note };
}
