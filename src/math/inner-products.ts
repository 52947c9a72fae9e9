/** Rows of `y` that stay in cache while all rows of `x` pass over them. */
const BLOCK_VALUES = 16_384;

/**
 * All inner products of two sets of rows, X·Yᵀ: out[i·n + j] = Σ_k x_ik·y_jk.
 * @param x `[m, width]` row by row
 * @param y `[n, width]` row by row
 * @param out `[m, n]`, overwritten
 */
export function innerProducts(x: Float64Array, y: Float64Array, width: number, out: Float64Array): Float64Array {
  const [m, n] = [x.length / width, y.length / width];
  const block = Math.max(2, 2 * Math.floor(BLOCK_VALUES / (2 * width)));
  for (let first = 0; first < n; first += block) {
    const end = Math.min(n, first + block);
    for (let i = 0; i < m; i += 4) for (let j = first; j < end; j += 2) tile(x, y, width, out, i, j);
  }
  return out;
}

/** A tile of 4 rows by 2, or what is left of one at the edges. */
function tile(x: Float64Array, y: Float64Array, width: number, out: Float64Array, i: number, j: number): void {
  const [m, n] = [x.length / width, y.length / width];
  if (i + 4 <= m && j + 2 <= n) {
    wholeTile(x, y, width, out, i, j);
    return;
  }
  for (let row = i; row < Math.min(i + 4, m); row++) {
    for (let column = j; column < Math.min(j + 2, n); column++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (x[row * width + k] as number) * (y[column * width + k] as number);
      out[row * n + column] = sum;
    }
  }
}

/** Eight sums at once: each value that is read serves several products. */
function wholeTile(x: Float64Array, y: Float64Array, width: number, out: Float64Array, i: number, j: number): void {
  const n = y.length / width;
  let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [p0, q0] = [i * width, j * width];
  for (let k = 0; k < width; k++, p0++, q0++) {
    const y0 = y[q0] as number;
    const y1 = y[q0 + width] as number;
    const x0 = x[p0] as number;
    const x1 = x[p0 + width] as number;
    const x2 = x[p0 + 2 * width] as number;
    const x3 = x[p0 + 3 * width] as number;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s30 += x3 * y0;
    s31 += x3 * y1;
  }
  const o = i * n + j;
  out[o] = s00;
  out[o + 1] = s01;
  out[o + n] = s10;
  out[o + n + 1] = s11;
  out[o + 2 * n] = s20;
  out[o + 2 * n + 1] = s21;
  out[o + 3 * n] = s30;
  out[o + 3 * n + 1] = s31;
}
