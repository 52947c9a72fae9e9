import { at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";

/**
 * Rows that are spread over some points: the one nearest to their mean, then again and again the one that is farthest from all chosen so
 * far (Gonzalez 1985, "Clustering to minimize the maximum intercluster distance").
 * @param points `[n, D]`, n ≥ 1
 * @param count at most n are given
 */
export function farthestRows({ data, shape }: FloatTensor, count: number): number[] {
  const [total = 0, width = 0] = shape;
  const mean = Array.from(
    { length: width },
    (_, c) => data.reduce((s, v, i) => (i % width === c ? s + v : s), 0) / total,
  );
  const distanceTo = (row: number, place: ArrayLike<number>): number => {
    let squares = 0;
    for (let d = 0; d < width; d++) squares += ((data[row * width + d] as number) - (place[d] as number)) ** 2;
    return squares;
  };
  const rows = Array.from({ length: total }, (_, row) => row);
  const fromMean = rows.map((row) => distanceTo(row, mean));
  const chosen = [fromMean.indexOf(Math.min(...fromMean))];
  const nearest = new Float64Array(total).fill(Infinity);
  while (chosen.length < Math.min(count, total)) {
    const last = at(chosen, chosen.length - 1);
    const place = data.subarray(last * width, (last + 1) * width);
    for (const row of rows) nearest[row] = Math.min(nearest[row] as number, distanceTo(row, place));
    chosen.push(nearest.reduce((best, distance, row) => (distance > (nearest[best] as number) ? row : best), 0));
  }
  return chosen;
}
