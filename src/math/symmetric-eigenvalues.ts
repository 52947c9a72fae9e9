import { UnnoiseError } from "./error.ts";

/** A symmetric tridiagonal matrix: `diagonal` [n] and the entries beside it, `beside[i]` between i and i + 1. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
}

const MAX_ITERATIONS = 60;

/**
 * Eigenvalues of a symmetric matrix without its eigenvectors, for matrices too large for `symmetricEigen`: Householder
 * reflections to tridiagonal form, then implicit QL steps with Wilkinson's shift (Golub and Van Loan 2013, Matrix Computations,
 * algorithms 8.3.1 to 8.3.3). 4/3·n³ operations; errors are some rounding errors of the largest eigenvalue.
 * @param matrix `[n, n]` row by row, symmetric: only its lower triangle is read; it is overwritten
 * @returns the eigenvalues [n] in no particular order
 * @throws UnnoiseError `not-finite` when an entry is not finite
 */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
  if (matrix.some((value) => !Number.isFinite(value))) {
    throw new UnnoiseError("not-finite", "eigenvalues: the matrix has an entry that is not finite");
  }
  return tridiagonalEigenvalues(tridiagonalise(matrix, size));
}

/** Reflects away row after row, the last first, what lies left of the entry beside the diagonal. */
function tridiagonalise(a: Float64Array, size: number): Tridiagonal {
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  const product = new Float64Array(size);
  for (let last = size - 1; last > 0; last--) {
    const row = a.subarray(last * size, last * size + last);
    diagonal[last] = a[last * size + last] as number;
    const { entry, beta } = reflector(row);
    beside[last - 1] = entry;
    if (beta !== 0) reflect(a, size, row, beta, product.subarray(0, last));
  }
  diagonal[0] = a[0] ?? 0;
  return { diagonal, beside };
}

/** Turns `row` into v with (I − β·v·vᵀ)·row = entry·e_last; β = 0 where nothing is to be reflected. */
function reflector(row: Float64Array): { readonly entry: number; readonly beta: number } {
  const end = row.length - 1;
  const tip = row[end] as number;
  const scale = row.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  let rest = 0;
  for (let k = 0; k < end; k++) rest += ((row[k] as number) / scale) ** 2;
  if (scale === 0 || rest === 0) return { entry: tip, beta: 0 };
  const norm = Math.sqrt(rest + (tip / scale) ** 2);
  const entry = tip > 0 ? -norm : norm;
  for (let k = 0; k <= end; k++) row[k] = (row[k] as number) / scale;
  row[end] = tip / scale - entry;
  return { entry: entry * scale, beta: 2 / (rest + row[end] ** 2) };
}

/** A ← H·A·H for the leading block, H = I − β·v·vᵀ: A − v·wᵀ − w·vᵀ with p = β·A·v, w = p − β/2·(pᵀv)·v. */
function reflect(a: Float64Array, size: number, v: Float64Array, beta: number, p: Float64Array): void {
  timesVector(a, size, v, p);
  let along = 0;
  for (let i = 0; i < v.length; i++) along += (p[i] as number) * (v[i] as number) * beta;
  for (let i = 0; i < v.length; i++) p[i] = beta * ((p[i] as number) - (along / 2) * (v[i] as number));
  for (let i = 0; i < v.length; i++) {
    const start = i * size;
    const vi = v[i] as number;
    const wi = p[i] as number;
    for (let j = 0; j <= i; j++) {
      a[start + j] = (a[start + j] as number) - vi * (p[j] as number) - wi * (v[j] as number);
    }
  }
}

/** p = A·v for the leading block of A, whose lower triangle is read once. */
function timesVector(a: Float64Array, size: number, v: Float64Array, p: Float64Array): void {
  p.fill(0);
  for (let i = 0; i < v.length; i++) {
    const start = i * size;
    const vi = v[i] as number;
    let sum = 0;
    for (let j = 0; j < i; j++) {
      const value = a[start + j] as number;
      sum += value * (v[j] as number);
      p[j] = (p[j] as number) + value * vi;
    }
    p[i] = (p[i] as number) + sum + (a[start + i] as number) * vi;
  }
}

function tridiagonalEigenvalues({ diagonal, beside }: Tridiagonal): Float64Array {
  for (let first = 0; first < diagonal.length; first++) {
    for (let iteration = 0; ; iteration++) {
      const end = blockEnd(diagonal, beside, first);
      if (end === first) break;
      if (iteration === MAX_ITERATIONS) throw new UnnoiseError("not-finite", "eigenvalues: no convergence");
      implicitStep(diagonal, beside, first, end);
    }
  }
  return diagonal;
}

/** The end of the block from `first` on in which no entry beside the diagonal is negligible. */
function blockEnd(diagonal: Float64Array, beside: Float64Array, first: number): number {
  let end = first;
  for (; end + 1 < diagonal.length; end++) {
    const scale = Math.abs(diagonal[end] as number) + Math.abs(diagonal[end + 1] as number);
    if (Math.abs(beside[end] as number) <= Number.EPSILON * scale) break;
  }
  return end;
}

/** One implicit QL step on the block: rotations chase the bulge from its end to its beginning. */
function implicitStep(d: Float64Array, e: Float64Array, first: number, end: number): void {
  const half = ((d[first + 1] as number) - (d[first] as number)) / (2 * (e[first] as number));
  const root = Math.hypot(half, 1);
  const shift = (d[first] as number) - (e[first] as number) / (half + (half >= 0 ? root : -root));
  let g = (d[end] as number) - shift;
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = end - 1; i >= first; i--) {
    const f = sine * (e[i] as number);
    const b = cosine * (e[i] as number);
    const length = Math.hypot(f, g);
    e[i + 1] = length;
    if (length === 0) {
      d[i + 1] = (d[i + 1] as number) - moved;
      e[end] = 0;
      return;
    }
    [sine, cosine] = [f / length, g / length];
    const rest = (d[i + 1] as number) - moved;
    const r = ((d[i] as number) - rest) * sine + 2 * cosine * b;
    moved = sine * r;
    d[i + 1] = rest + moved;
    g = cosine * r - b;
  }
  d[first] = (d[first] as number) - moved;
  e[first] = g;
  e[end] = 0;
}
