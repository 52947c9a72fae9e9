import { UnnoiseError, at } from "./error.ts";

/** A = Σ_j values_j · v_j v_jᵀ. */
export interface Eigensystem {
  /** Eigenvalues `[n]`, in no particular order. */
  readonly values: Float64Array;
  /** Orthonormal eigenvectors as rows, `[n, n]`: row j belongs to `values[j]`. */
  readonly vectors: Float64Array;
}

const MAX_SWEEPS = 50;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations, accurate to rounding (Golub and Van Loan 2013,
 * Matrix Computations, section 8.5).
 * @param matrix `[n, n]` row by row; only symmetric matrices have a meaning here
 * @throws UnnoiseError `usage` when it is not square, not finite or not symmetric
 */
export function symmetricEigen(matrix: ArrayLike<number>, size: number): Eigensystem {
  const a = Float64Array.from(matrix);
  checkSymmetric(a, size);
  const vectors = Float64Array.from(a, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const total = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(a, size) > 1e-32 * total; sweep++) {
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) eliminate(a, vectors, size, p, q);
  }
  return { values: Float64Array.from({ length: size }, (_, j) => at(a, j * size + j)), vectors };
}

function offDiagonal(a: Float64Array, size: number): number {
  return a.reduce((sum, value, i) => (i % (size + 1) === 0 ? sum : sum + value * value), 0);
}

/** Rotates axes p and q so that a_pq vanishes. */
function eliminate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = at(a, p * size + q);
  if (apq === 0) return;
  const tau = (at(a, q * size + q) - at(a, p * size + p)) / (2 * apq);
  const tangent = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.hypot(1, tau));
  const cosine = 1 / Math.hypot(1, tangent);
  const sine = tangent * cosine;
  for (let i = 0; i < size; i++) rotate(a, i * size + p, i * size + q, cosine, sine);
  for (let i = 0; i < size; i++) rotate(a, p * size + i, q * size + i, cosine, sine);
  for (let i = 0; i < size; i++) rotate(vectors, p * size + i, q * size + i, cosine, sine);
}

function rotate(values: Float64Array, i: number, j: number, cosine: number, sine: number): void {
  const x = at(values, i);
  const y = at(values, j);
  values[i] = cosine * x - sine * y;
  values[j] = sine * x + cosine * y;
}

function checkSymmetric(a: Float64Array, size: number): void {
  const wrong = (problem: string): UnnoiseError => new UnnoiseError("usage", `symmetric matrix: ${problem}`);
  if (a.length !== size * size) throw wrong(`expected ${size} × ${size} values, got ${a.length}`);
  if (!a.every(Number.isFinite)) throw wrong("expected finite values");
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const [below, above] = [at(a, i * size + j), at(a, j * size + i)];
      if (Math.abs(below - above) > 1e-9 * largest)
        throw wrong(`entry [${i}, ${j}] is ${below}, [${j}, ${i}] is ${above}`);
    }
  }
}
