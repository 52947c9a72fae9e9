import { UnnoiseError } from "../math/error.ts";
import { type FloatTensor, type Shape, sameShape, sizeOf } from "../tensor/tensor.ts";

/** Points in float64, one array for each coordinate: the layout in which loops over pairs run fastest. */
export interface PointSet {
  readonly count: number;
  readonly coordinates: readonly Float64Array[];
}

/**
 * Reads two tensors `[count, …D]` with equal trailing extents as point sets.
 * @throws UnnoiseError `usage` for an empty set or unlike extents, `not-finite` for a value that is not finite
 */
export function pointSets(metric: string, a: FloatTensor, b: FloatTensor): [PointSet, PointSet] {
  if (a.shape.length === 0 || b.shape.length === 0 || !sameShape(a.shape.slice(1), b.shape.slice(1))) {
    throw new UnnoiseError(
      "usage",
      `${metric}: two sets of points of the same dimension are needed, got ${pair(a, b)}`,
    );
  }
  return [pointSet(metric, a), pointSet(metric, b)];
}

/**
 * Reads two tensors as `pointSets` does, and requires equal counts.
 * @throws UnnoiseError `usage` for unequal counts
 */
export function equalPointSets(metric: string, a: FloatTensor, b: FloatTensor): [PointSet, PointSet] {
  const sets = pointSets(metric, a, b);
  if (sets[0].count !== sets[1].count) {
    throw new UnnoiseError("usage", `${metric}: both sets need the same number of points, got ${pair(a, b)}`);
  }
  return sets;
}

/** Reads one tensor `[count, …D]`; throws as `pointSets` does. */
export function pointSet(metric: string, { shape, data }: FloatTensor): PointSet {
  const [count = 0, ...extents] = shape;
  const width = sizeOf(extents);
  if (count === 0 || width === 0) {
    throw new UnnoiseError("usage", `${metric}: at least one point of one coordinate is needed, got ${show(shape)}`);
  }
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const place = `point ${Math.floor(broken / width)}, coordinate ${broken % width}`;
    throw new UnnoiseError(
      "not-finite",
      `${metric}: ${place} is ${data[broken] ?? NaN}; a distance needs finite points`,
    );
  }
  const coordinate = (axis: number) => Float64Array.from({ length: count }, (_, i) => data[i * width + axis] as number);
  return { count, coordinates: Array.from({ length: width }, (_, axis) => coordinate(axis)) };
}

/** The points at `rows`. */
export function pickPoints({ coordinates }: PointSet, rows: Int32Array): PointSet {
  const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row] as number);
  return { count: rows.length, coordinates: coordinates.map(pick) };
}

/** `count` of the rows 0…total−1, evenly spaced. */
export function evenRows(count: number, total: number): Int32Array {
  return Int32Array.from({ length: count }, (_, k) => Math.floor((k * total) / count));
}

/** out[j] = ‖from_row − to_j‖² for j = first…; earlier entries of `out` are left alone. */
export function squaredDistances(from: PointSet, row: number, to: PointSet, out: Float64Array, first = 0): void {
  const width = to.coordinates.length;
  const paired = width - (width % 2);
  if (paired === 0) out.fill(0, first);
  for (let axis = 0; axis < paired; axis += 2) addPlane(from, row, to, axis, out, first);
  if (paired < width) addAxis(from, row, to, paired, out, first);
}

/** Two coordinates in one pass: half the traffic to `out`. The first pair overwrites. */
function addPlane(from: PointSet, row: number, to: PointSet, axis: number, out: Float64Array, first: number): void {
  const x = from.coordinates[axis]?.[row] as number;
  const y = from.coordinates[axis + 1]?.[row] as number;
  const xs = to.coordinates[axis] as Float64Array;
  const ys = to.coordinates[axis + 1] as Float64Array;
  if (axis === 0) out.fill(0, first);
  for (let j = first; j < to.count; j++) {
    const dx = (xs[j] as number) - x;
    const dy = (ys[j] as number) - y;
    out[j] = (out[j] as number) + (dx * dx + dy * dy);
  }
}

function addAxis(from: PointSet, row: number, to: PointSet, axis: number, out: Float64Array, first: number): void {
  const x = from.coordinates[axis]?.[row] as number;
  const xs = to.coordinates[axis] as Float64Array;
  for (let j = first; j < to.count; j++) {
    const dx = (xs[j] as number) - x;
    out[j] = (out[j] as number) + dx * dx;
  }
}

/** Sums one row of squared distances from entry `first` on. */
export type RowSum = (squared: Float64Array, first: number) => number;

/** Σ_{i,j} f(‖a_i − b_j‖²), one row in memory at a time. */
export function sumOverPairs(a: PointSet, b: PointSet, rowSum: RowSum): number {
  const squared = new Float64Array(b.count);
  let sum = 0;
  for (let i = 0; i < a.count; i++) {
    squaredDistances(a, i, b, squared);
    sum += rowSum(squared, 0);
  }
  return sum;
}

/** Σ_{i<j} f(‖a_i − a_j‖²), one row in memory at a time. */
export function sumWithin(a: PointSet, rowSum: RowSum): number {
  const squared = new Float64Array(a.count);
  let sum = 0;
  for (let i = 0; i + 1 < a.count; i++) {
    squaredDistances(a, i, a, squared, i + 1);
    sum += rowSum(squared, i + 1);
  }
  return sum;
}

function pair(a: FloatTensor, b: FloatTensor): string {
  return `${show(a.shape)} and ${show(b.shape)}`;
}

function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
