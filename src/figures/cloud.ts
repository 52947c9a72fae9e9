import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";

/** The rows of a point set that have only finite values, column by column. */
export interface Cloud {
  readonly columns: readonly Float32Array[];
  readonly count: number;
  /** Rows that were left out because a value is NaN or infinite. */
  readonly notFinite: number;
}

/** Points of two columns that lie inside the axes, ready to draw. */
export interface PlanePoints {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly tally: Tally;
}

/** What of some points is drawn, and why the rest is not. */
export interface Tally {
  readonly total: number;
  readonly considered: number;
  readonly notFinite: number;
  readonly outside: number;
}

/** The tally of a cloud whose first `limit` points are drawn. */
export function cloudTally({ count, notFinite }: Cloud, limit: number = Infinity): Tally {
  return { total: count + notFinite, considered: Math.min(count, Math.floor(limit)), notFinite, outside: 0 };
}

/** Closed interval of an axis. */
export type Domain = readonly [number, number];

/**
 * Splits points `[n, …D]` (or `[n]`) into columns of finite rows.
 * @throws UnnoiseError `data` when there is no point or no column
 */
export function readCloud(points: FloatTensor, what: string): Cloud {
  const total = points.shape[0] ?? 0;
  const width = total === 0 ? 0 : points.data.length / total;
  if (width === 0) {
    const shape = points.shape.join(", ");
    throw new UnnoiseError(
      "data",
      `figure: ${what} hold nothing to draw; expected shape [n ≥ 1, D ≥ 1], got [${shape}]`,
    );
  }
  const finite = finiteRows(points.data, total, width);
  const columns = Array.from({ length: width }, (_, column) =>
    Float32Array.from(finite, (row) => points.data[row * width + column] ?? 0),
  );
  return { columns, count: finite.length, notFinite: total - finite.length };
}

function finiteRows(data: Float32Array, total: number, width: number): Uint32Array {
  const rows = new Uint32Array(total);
  let kept = 0;
  for (let row = 0; row < total; row++) {
    let finite = true;
    for (let column = 0; column < width; column++) finite &&= Number.isFinite(data[row * width + column]);
    if (finite) rows[kept++] = row;
  }
  return rows.subarray(0, kept);
}

/** Column `index` of a cloud; a missing one is empty. */
export function columnOf(cloud: Cloud, index: number): Float32Array {
  return cloud.columns[index] ?? new Float32Array();
}

/** The first `limit` points of two columns, without those outside the axes. */
export function planePoints(
  cloud: Cloud,
  axes: readonly [number, number],
  x: Domain,
  y: Domain,
  limit: number,
): PlanePoints {
  const [xs, ys] = [columnOf(cloud, axes[0]), columnOf(cloud, axes[1])];
  const considered = Math.min(cloud.count, Math.max(1, Math.floor(limit)));
  const kept = Uint32Array.from({ length: considered }, (_, row) => row).filter(
    (row) => isInside(xs[row] ?? Number.NaN, x) && isInside(ys[row] ?? Number.NaN, y),
  );
  return {
    x: Float32Array.from(kept, (row) => xs[row] ?? 0),
    y: Float32Array.from(kept, (row) => ys[row] ?? 0),
    tally: { ...cloudTally(cloud, considered), outside: considered - kept.length },
  };
}

const isInside = (value: number, [low, high]: Domain): boolean => value >= low && value <= high;

/** Sentences that say what a figure leaves out; none when it draws everything. */
export function tallyNotes(tallies: readonly Tally[]): string[] {
  const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
  const format = (count: number): string => `${count.toLocaleString("en-US")} ${count === 1 ? "point" : "points"}`;
  const finite = sum("total") - sum("notFinite");
  const notes: string[] = [];
  if (sum("considered") < finite) {
    notes.push(`Drawn: the first ${sum("considered").toLocaleString("en-US")} of ${format(finite)}.`);
  }
  if (sum("outside") > 0) notes.push(`Outside the axes: ${format(sum("outside"))}.`);
  if (sum("notFinite") > 0) notes.push(`Not finite, so not drawn: ${format(sum("notFinite"))}.`);
  return notes.length === 0 ? [] : [notes.join(" ")];
}

/**
 * An axis for all values: their extent, or, where a few outliers would squash the rest, the central 98 % and a margin.
 */
export function rangeOf(columns: readonly ArrayLike<number>[]): Domain {
  const sorted = joined(columns).filter(Number.isFinite).sort();
  if (sorted.length === 0) return [-1, 1];
  const quantile = (p: number): number => sorted[Math.round(p * (sorted.length - 1))] ?? 0;
  const [low, high, inner] = [quantile(0), quantile(1), quantile(0.99) - quantile(0.01)];
  if (inner === 0 || high - low <= 4 * inner) return padded(low, high);
  return padded(Math.max(low, quantile(0.01) - inner / 2), Math.min(high, quantile(0.99) + inner / 2));
}

function joined(columns: readonly ArrayLike<number>[]): Float64Array {
  const all = new Float64Array(columns.reduce((size, column) => size + column.length, 0));
  let offset = 0;
  for (const column of columns) {
    all.set(column, offset);
    offset += column.length;
  }
  return all;
}

function padded(low: number, high: number): Domain {
  const margin = high > low ? (high - low) * 0.04 : Math.max(Math.abs(low), 1) / 2;
  return [low - margin, high + margin];
}

/** Two axes and the height (px) of a plot of them that is `width` px wide. */
export interface PlaneAxes {
  readonly x: Domain;
  readonly y: Domain;
  readonly height: number;
}

/** Widest ratio of two ranges that still share one scale: beyond it the columns measure different things. */
const MOST_UNEQUAL = 4;

/**
 * Gives x and y the same length per unit, widening the shorter one, unless their ranges differ more than fourfold.
 * @param heights least and largest height in px
 */
export function equalAspect(x: Domain, y: Domain, width: number, heights: readonly [number, number]): PlaneAxes {
  const [spanX, spanY] = [x[1] - x[0], y[1] - y[0]];
  if (Math.max(spanX / spanY, spanY / spanX) > MOST_UNEQUAL) return { x, y, height: heights[1] };
  const height = Math.round(Math.min(heights[1], Math.max(heights[0], (width * spanY) / spanX)));
  const perPixel = Math.max(spanX / width, spanY / height);
  return { x: widened(x, perPixel * width), y: widened(y, perPixel * height), height };
}

function widened([low, high]: Domain, span: number): Domain {
  const middle = (low + high) / 2;
  return [middle - span / 2, middle + span / 2];
}
