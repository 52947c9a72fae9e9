import { UnnoiseError } from "../math/error.ts";
import { innerProducts } from "../math/inner-products.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { checkFinite, featureWidth } from "./feature-statistics.ts";

export interface PrecisionRecallOptions {
  /** Precision and recall: a ball reaches to its centre's k-th nearest neighbour in its own set; integer ≥ 1. */
  readonly k?: number;
  /** The same for density and coverage. */
  readonly coverageK?: number;
}

/** How two sets lie in each other's neighbourhoods. */
export interface PrecisionRecall {
  /** Share of generated images inside the ball of a real one, 0…1: how many could be real. */
  readonly precision: number;
  /** Share of real images inside the ball of a generated one, 0…1: how much of the data is reached. */
  readonly recall: number;
  /** Balls of real images that a generated one lies in, over k: 1 in expectation for equal distributions. */
  readonly density: number;
  /** Share of balls of real images that hold a generated one, 0…1. */
  readonly coverage: number;
}

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991, eqs. 1 and 2, k = 3), density and coverage (Naeem
 * et al. 2020, arXiv 2002.09797, k = 5). All four depend on the numbers of images: compare sets of one size only.
 * @param real features `[n, F]`
 * @param generated features `[m, F]`
 * @throws UnnoiseError `usage` for other shapes or a k that a set does not hold, `not-finite` for a feature that is not finite
 */
export function precisionRecall(
  real: FloatTensor,
  generated: FloatTensor,
  { k = 3, coverageK = 5 }: PrecisionRecallOptions = {},
): PrecisionRecall {
  const [x, y] = [cloud(real), cloud(generated)];
  if (x.width !== y.width) {
    const widths = `${x.width} and ${y.width}`;
    throw new UnnoiseError("usage", `precision and recall: both sets need the same features, got ${widths} of them`);
  }
  for (const each of [k, coverageK]) checkK(each, Math.min(x.count, y.count));
  const most = Math.max(k, coverageK);
  const [realNearest, generatedNearest] = [nearestNeighbours(x, most), nearestNeighbours(y, most)];
  const counts = countHits(x, y, {
    real: nthOf(realNearest, most, k),
    coverage: nthOf(realNearest, most, coverageK),
    generated: nthOf(generatedNearest, most, k),
  });
  return {
    precision: counts.precise.reduce((sum, hit) => sum + hit, 0) / y.count,
    recall: counts.recalled.reduce((sum, hit) => sum + hit, 0) / x.count,
    density: counts.inside / (coverageK * y.count),
    coverage: counts.covered.reduce((sum, hit) => sum + hit, 0) / x.count,
  };
}

/** Feature vectors with their squared lengths. */
interface Cloud {
  readonly count: number;
  readonly width: number;
  readonly rows: Float64Array;
  readonly squares: Float64Array;
}

function cloud(features: FloatTensor): Cloud {
  const width = featureWidth(features);
  checkFinite(features.data, width);
  const rows = Float64Array.from(features.data);
  const count = rows.length / width;
  const squares = new Float64Array(count);
  for (let i = 0; i < rows.length; i++) {
    const row = Math.floor(i / width);
    squares[row] = (squares[row] as number) + (rows[i] as number) ** 2;
  }
  return { count, width, rows, squares };
}

const BLOCK = 64;

/** |x_i − y_j|² for the rows i of one block and all rows j ≥ `first` of y, `[rows, n − first]`. */
function blockDistances(x: Cloud, start: number, y: Cloud, first = 0): Float64Array {
  const rows = x.rows.subarray(start * x.width, (start + BLOCK) * x.width);
  const columns = y.count - first;
  const count = rows.length / x.width;
  const out = innerProducts(rows, y.rows.subarray(first * y.width), x.width, new Float64Array(count * columns));
  for (let i = 0, place = 0; i < count; i++) {
    const square = x.squares[start + i] as number;
    for (let j = 0; j < columns; j++, place++) {
      const distance = square + (y.squares[first + j] as number) - 2 * (out[place] as number);
      out[place] = distance > 0 ? distance : 0;
    }
  }
  return out;
}

/** Squared distances from each row to its `most` nearest other rows, ascending, `[n, most]`. */
function nearestNeighbours(x: Cloud, most: number): Float64Array {
  const nearest = new Float64Array(x.count * most).fill(Infinity);
  for (let start = 0; start < x.count; start += BLOCK) {
    const distances = blockDistances(x, start, x, start);
    const columns = x.count - start;
    for (let i = 0; i < Math.min(BLOCK, columns); i++) {
      for (let j = i + 1; j < columns; j++) {
        const distance = distances[i * columns + j] as number;
        insert(nearest, (start + i) * most, most, distance);
        insert(nearest, (start + j) * most, most, distance);
      }
    }
  }
  return nearest;
}

/** Puts a value into a short ascending list, whose largest falls out. */
function insert(lists: Float64Array, start: number, length: number, value: number): void {
  let place = start + length - 1;
  if (value >= (lists[place] as number)) return;
  for (; place > start && (lists[place - 1] as number) > value; place--) lists[place] = lists[place - 1] as number;
  lists[place] = value;
}

function nthOf(nearest: Float64Array, most: number, k: number): Float64Array {
  return Float64Array.from({ length: nearest.length / most }, (_, row) => nearest[row * most + k - 1] as number);
}

/** Squared radii of the balls. */
interface Radii {
  readonly real: Float64Array;
  readonly coverage: Float64Array;
  readonly generated: Float64Array;
}

interface Hits {
  /** 1 for each generated image inside a real ball. */
  readonly precise: Uint8Array;
  /** 1 for each real image inside a generated ball. */
  readonly recalled: Uint8Array;
  /** 1 for each real image whose own ball holds a generated one. */
  readonly covered: Uint8Array;
  /** Pairs of a generated image and a real ball around it. */
  readonly inside: number;
}

function countHits(x: Cloud, y: Cloud, radii: Radii): Hits {
  const [precise, recalled, covered] = [y.count, x.count, x.count].map((count) => new Uint8Array(count)) as Three;
  let inside = 0;
  for (let start = 0; start < x.count; start += BLOCK) {
    const distances = blockDistances(x, start, y);
    for (let place = 0; place < distances.length; place++) {
      const distance = distances[place] as number;
      const i = start + Math.floor(place / y.count);
      const j = place % y.count;
      if (distance <= (radii.real[i] as number)) precise[j] = 1;
      if (distance <= (radii.generated[j] as number)) recalled[i] = 1;
      if (distance > (radii.coverage[i] as number)) continue;
      covered[i] = 1;
      inside++;
    }
  }
  return { precise, recalled, covered, inside };
}

type Three = [Uint8Array, Uint8Array, Uint8Array];

function checkK(k: number, smaller: number): void {
  if (Number.isInteger(k) && k >= 1 && k < smaller) return;
  throw new UnnoiseError("usage", `precision and recall: k must be an integer in 1…${smaller - 1}, got ${k}`);
}
