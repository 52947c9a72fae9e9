import { UnnoiseError, at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Mean and scale of each column; plain numbers, so that JSON keeps them. */
export interface Standardiser {
  readonly mean: readonly number[];
  /** Standard deviations (with N in the denominator), 1 for a constant column; all > 0. */
  readonly scale: readonly number[];
}

interface Moments {
  readonly mean: number;
  readonly scale: number;
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
  return { mean, scale: scale > 0 ? scale : 1 };
}

/**
 * Measures mean and standard deviation of each column, in float64.
 * @param points `[N, D]`, raw units, finite
 * @throws UnnoiseError `data` for another shape
 */
export function fitStandardiser(points: FloatTensor): Standardiser {
  const columns = columnsOf(points);
  const moments = Array.from({ length: columns }, (_, column) => momentsOf(points.data, column, columns));
  return { mean: moments.map(({ mean }) => mean), scale: moments.map(({ scale }) => scale) };
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
