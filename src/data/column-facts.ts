import { sortedQuantile } from "../math/quantile.ts";
import { at } from "../math/error.ts";
import type { Dataset } from "./dataset.ts";

/** What one column holds, as far as anything is said or decided by it. */
export interface ColumnFacts {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  /** Distinct values. */
  readonly distinct: number;
  /** Standard deviation, with N in the denominator. */
  readonly deviation: number;
  /** Quartiles of the values other than the commonest one, where that makes up a fiftieth of all or more. */
  readonly quartiles: readonly [low: number, high: number];
  /** The first value where the column counts the rows from 0 or 1 in order. */
  readonly countsFrom: 0 | 1 | undefined;
}

/** Points and the names of their columns. */
export type Columns = Pick<Dataset, "points" | "columns">;

/** One column of points `[N, D]`. */
export function columnOf({ points, columns }: Columns, index: number): Float32Array {
  const width = columns.length;
  const values = new Float32Array(points.data.length / width);
  for (let row = 0; row < values.length; row++) values[row] = points.data[row * width + index] ?? NaN;
  return values;
}

/** Share of all rows from which on a value counts as one that stands for something else, such as 0 or a missing value. */
const COMMON = 1 / 50;

/** Runs of equal values in ascending order: how many there are, and where the longest lies. */
function runsOf(ascending: Float32Array): { distinct: number; start: number; length: number } {
  let [distinct, start, length, begin] = [0, 0, 0, 0];
  for (let i = 1; i <= ascending.length; i++) {
    if (i < ascending.length && ascending[i] === ascending[begin]) continue;
    distinct++;
    if (i - begin > length) [start, length] = [begin, i - begin];
    begin = i;
  }
  return { distinct, start, length };
}

/** Values without a run in them. */
function without(ascending: Float32Array, { start, length }: { start: number; length: number }): Float32Array {
  const rest = new Float32Array(ascending.length - length);
  rest.set(ascending.subarray(0, start));
  rest.set(ascending.subarray(start + length), start);
  return rest;
}

function deviationOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

/** The facts of one column; values finite, at least one. */
export function factsOf(name: string, values: Float32Array): ColumnFacts {
  const ascending = values.slice().sort();
  const run = runsOf(ascending);
  const isCommon = run.length > 1 && run.length >= COMMON * values.length && run.distinct > 1;
  const rest = isCommon ? without(ascending, run) : ascending;
  const [first] = values;
  const counts = (first === 0 || first === 1) && values.every((value, row) => value === first + row);
  return {
    name,
    minimum: at(ascending, 0),
    maximum: at(ascending, ascending.length - 1),
    distinct: run.distinct,
    deviation: deviationOf(values),
    quartiles: [sortedQuantile(rest, 0.25), sortedQuantile(rest, 0.75)],
    countsFrom: counts && values.length > 2 ? first : undefined,
  };
}
