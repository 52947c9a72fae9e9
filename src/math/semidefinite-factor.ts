import { UnnoiseError } from "./error.ts";

/** W [rank, n] with A = Wᵀ·W. */
export interface Factor {
  readonly rank: number;
  readonly rows: Float64Array;
}

/**
 * A factor of a symmetric positive semi-definite matrix: Cholesky with the largest remaining diagonal entry as pivot, which
 * stops where the rest is rounding (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 10.3).
 * @param matrix `[n, n]` row by row
 * @throws UnnoiseError `not-finite` when an entry of the diagonal is not finite
 */
export function semidefiniteFactor(matrix: Float64Array, size: number): Factor {
  const left = Float64Array.from({ length: size }, (_, i) => matrix[i * size + i] as number);
  if (left.some((value) => !Number.isFinite(value))) {
    throw new UnnoiseError("not-finite", "factor: the matrix has an entry that is not finite");
  }
  const tolerance = size * Number.EPSILON * Math.max(0, ...left);
  const rows = new Float64Array(size * size);
  let rank = 0;
  for (; rank < size; rank++) {
    const pivot = largest(left);
    const remaining = left[pivot] as number;
    if (!(remaining > tolerance)) break;
    nextRow(matrix, size, rows, rank, pivot, Math.sqrt(remaining));
    const row = rows.subarray(rank * size, (rank + 1) * size);
    for (let j = 0; j < size; j++) left[j] = (left[j] as number) - (row[j] as number) ** 2;
    left[pivot] = -Infinity;
  }
  return { rank, rows: rows.subarray(0, rank * size) };
}

function largest(values: Float64Array): number {
  let place = 0;
  for (let j = 1; j < values.length; j++) if ((values[j] as number) > (values[place] as number)) place = j;
  return place;
}

/** w = (a_pivot − Σ_earlier w_pivot·w)/root. */
function nextRow(
  matrix: Float64Array,
  size: number,
  rows: Float64Array,
  rank: number,
  pivot: number,
  root: number,
): void {
  const row = rows.subarray(rank * size, (rank + 1) * size);
  row.set(matrix.subarray(pivot * size, (pivot + 1) * size));
  for (let earlier = 0; earlier < rank; earlier++) {
    const start = earlier * size;
    const share = rows[start + pivot] as number;
    for (let j = 0; j < size; j++) row[j] = (row[j] as number) - share * (rows[start + j] as number);
  }
  for (let j = 0; j < size; j++) row[j] = (row[j] as number) / root;
}
