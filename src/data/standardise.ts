import { UnnoiseError, at } from "../math/error.ts";
import { sortedQuantile } from "../math/quantile.ts";
import { shown } from "../math/shown.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Mean and scale of each column; plain numbers, so that JSON keeps them. */
export interface Standardiser {
  /** Means, or medians where the scale is robust. */
  readonly mean: readonly number[];
  /** Standard deviations (with N in the denominator), or quartile ranges / 1.349; 1 for a constant column; all > 0. */
  readonly scale: readonly number[];
  /** Numbers from 0 of the columns that are the same in every row; absent where there are none. */
  readonly constant?: readonly number[];
}

/**
 * How columns are brought to one size: `standard` by mean and standard deviation, `robust` by median and quartile range, which a few
 * values far outside do not move.
 */
export const scalings = ["standard", "robust"] as const;
export type Scaling = (typeof scalings)[number];

interface Moments {
  readonly mean: number;
  readonly scale: number;
  readonly isConstant: boolean;
}

function columnsOf({ shape }: FloatTensor): number {
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || rows < 1 || columns < 1) {
    throw new UnnoiseError("data", `points: expected shape [rows ≥ 1, columns ≥ 1], got [${shape.join(", ")}]`);
  }
  return columns;
}

/** Two passes in float64; offsets from the first value keep the mean of a constant column exact. */
function momentsOf(data: Float32Array, column: number, columns: number): Moments {
  const rows = data.length / columns;
  const origin = at(data, column);
  let offsets = 0;
  for (let i = column; i < data.length; i += columns) offsets += (data[i] ?? 0) - origin;
  const mean = origin + offsets / rows;
  let squares = 0;
  for (let i = column; i < data.length; i += columns) squares += ((data[i] ?? 0) - mean) ** 2;
  const scale = Math.sqrt(squares / rows);
  return { mean, scale: scale > 0 ? scale : 1, isConstant: scale === 0 };
}

/** The quartile range of a normal distribution in standard deviations. */
const QUARTILE_RANGE = 1.349;
/** Least quartile range as a share of the whole: beyond, float32 would not hold the squares of standardised values. */
const LEAST_SHARE = 1e-12;

/** Median and quartile range; where half of all values are one, there is no such range, and the moments stay. */
function robustOf(data: Float32Array, column: number, columns: number): Moments {
  const moments = momentsOf(data, column, columns);
  const ascending = data.filter((_, i) => i % columns === column).sort();
  const range = sortedQuantile(ascending, 0.75) - sortedQuantile(ascending, 0.25);
  if (range === 0) return moments;
  const whole = at(ascending, ascending.length - 1) - at(ascending, 0);
  const scale = Math.max(range, LEAST_SHARE * whole) / QUARTILE_RANGE;
  return { mean: sortedQuantile(ascending, 0.5), scale, isConstant: false };
}

/**
 * Measures the middle and the spread of each column, in float64.
 * @param points `[N, D]`, raw units, finite
 * @param scaling by mean and standard deviation (`standard`), or by median and quartile range (`robust`)
 * @throws UnnoiseError `data` for another shape
 */
export function fitStandardiser(points: FloatTensor, scaling: Scaling = "standard"): Standardiser {
  const columns = columnsOf(points);
  const measure = scaling === "robust" ? robustOf : momentsOf;
  const moments = Array.from({ length: columns }, (_, column) => measure(points.data, column, columns));
  const constant = moments.flatMap(({ isConstant }, column) => (isConstant ? [column] : []));
  const fitted = { mean: moments.map(({ mean }) => mean), scale: moments.map(({ scale }) => scale) };
  return constant.length > 0 ? { ...fitted, constant } : fitted;
}

/**
 * Refuses points of which nothing can be learned.
 * @param points `[N, D]`, raw units
 * @param name what messages call them
 * @throws UnnoiseError `data` for fewer than two rows, values that are not finite, or rows that are all the same
 */
export function checkLearnable(points: FloatTensor, name: string): void {
  const columns = columnsOf(points);
  const { data, shape } = points;
  const rows = at(shape, 0);
  if (rows < 2) throw new UnnoiseError("data", `${shown(name)}: expected at least 2 points to learn from, got ${rows}`);
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const where = `row ${Math.floor(wrong / columns) + 1}, column ${(wrong % columns) + 1}`;
    const advice = "replace it or remove the row";
    throw new UnnoiseError(
      "data",
      `${shown(name)}, ${where}: expected a finite number, got ${at(data, wrong)}; ${advice}`,
    );
  }
  if (data.every((value, i) => value === data[i % columns])) {
    throw new UnnoiseError("data", `${shown(name)}: expected points that differ, got ${rows} that are all the same`);
  }
}

function checkWidth(points: FloatTensor, { mean, scale }: Standardiser): void {
  const columns = columnsOf(points);
  if (mean.length !== columns || scale.length !== columns) {
    throw new UnnoiseError("data", `standardiser of ${mean.length} columns cannot take points of ${columns} columns`);
  }
}

/**
 * (x − mean)/scale, column by column: zero mean and unit variance on the points that were fitted.
 * @param points `[N, D]`, raw units
 * @returns points `[N, D]`, standardised
 * @throws UnnoiseError `data` when the columns do not match
 */
export function standardise(points: FloatTensor, standardiser: Standardiser): FloatTensor {
  checkWidth(points, standardiser);
  const { mean, scale } = standardiser;
  const columns = mean.length;
  const out = points.data.map((value, i) => (value - (mean[i % columns] ?? 0)) / (scale[i % columns] ?? 1));
  return floatTensor(out, points.shape);
}

/** Puts the value of constant columns, which noise and a network never meet exactly, into points in raw units. */
export function restoreConstants(points: FloatTensor, { mean, constant = [] }: Standardiser): FloatTensor {
  if (constant.length === 0) return points;
  const columns = columnsOf(points);
  const out = points.data.slice();
  for (const column of constant) {
    for (let i = column; i < out.length; i += columns) out[i] = at(mean, column);
  }
  return floatTensor(out, points.shape);
}

/**
 * x·scale + mean, column by column: the inverse of `standardise` to float32 rounding.
 * @param points `[N, D]`, standardised
 * @returns points `[N, D]`, raw units
 * @throws UnnoiseError `data` when the columns do not match
 */
export function unstandardise(points: FloatTensor, standardiser: Standardiser): FloatTensor {
  checkWidth(points, standardiser);
  const { mean, scale } = standardiser;
  const columns = mean.length;
  const out = points.data.map((value, i) => value * (scale[i % columns] ?? 1) + (mean[i % columns] ?? 0));
  return floatTensor(out, points.shape);
}
