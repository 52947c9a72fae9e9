import { UnnoiseError } from "../math/error.ts";
import { shapeText, type FloatTensor } from "../tensor/tensor.ts";
import { columnOf, readCloud, type Domain } from "./cloud.ts";
import { checkExtent } from "./heatmap.ts";

/** The grid on which `densityGrid` counts. */
export interface DensityGridOptions {
  /** Extent of the columns, data units */
  readonly x: Domain;
  /** Extent of the rows, data units */
  readonly y: Domain;
  readonly columns: number;
  readonly rows: number;
  /**
   * Standard deviation of the smoothing, data units, ≥ 0; default for each axis: half of Scott's rule, σ n^(−1/6) / 2,
   * since data of interest have structure finer than one Gaussian
   */
  readonly bandwidth?: number;
}

/** A density on a grid: a panel of `heatmapFigure` but for its label. */
export interface DensityGrid {
  /** `[rows × columns]`, row 0 at the lowest y, per unit of area */
  readonly values: Float64Array;
  readonly columns: number;
  readonly rows: number;
  readonly x: Domain;
  readonly y: Domain;
}

/**
 * Density of points in the plane: a histogram smoothed with a Gaussian, which the border reflects, so that the values
 * times the area of a cell add up to the share of the finite points that lie inside (Scott 1992 for σ n^(−1/6)).
 * @param points `[n, D ≥ 2]`, data units; the first two columns count
 * @throws UnnoiseError `data` when there is no finite point, D < 2, or the grid is not sound
 */
export function densityGrid(points: FloatTensor, options: DensityGridOptions): DensityGrid {
  const { x, y, columns, rows } = options;
  checkGrid(points, options);
  const cloud = readCloud(points, "density: points");
  if (cloud.count === 0) throw new UnnoiseError("data", "density: expected at least one finite point, got none");
  const [xs, ys] = [columnOf(cloud, 0), columnOf(cloud, 1)];
  const cell = [(x[1] - x[0]) / columns, (y[1] - y[0]) / rows] as const;
  const counts = new Float64Array(columns * rows);
  for (let point = 0; point < cloud.count; point++) {
    const column = cellOf(xs[point] ?? Number.NaN, x, columns);
    const row = cellOf(ys[point] ?? Number.NaN, y, rows);
    if (column >= 0 && row >= 0) counts[row * columns + column] = (counts[row * columns + column] ?? 0) + 1;
  }
  const kernels = [xs, ys].map((values, axis) =>
    gaussianKernel((options.bandwidth ?? scott(values) / 2) / (cell[axis] ?? 1)),
  );
  const across = smoothed(counts, { count: columns, stride: 1, lines: rows, step: columns }, kernels[0] ?? []);
  const values = smoothed(across, { count: rows, stride: columns, lines: columns, step: 1 }, kernels[1] ?? []);
  const weight = 1 / (cloud.count * cell[0] * cell[1]);
  return { values: values.map((value) => value * weight), columns, rows, x, y };
}

function checkGrid({ shape }: FloatTensor, { x, y, columns, rows, bandwidth = 0 }: DensityGridOptions): void {
  if (shape.length !== 2 || (shape[1] ?? 0) < 2) {
    throw new UnnoiseError("data", `density: expected points [n, D ≥ 2], got shape ${shapeText(shape)}`);
  }
  if (![columns, rows].every((extent) => Number.isInteger(extent) && extent >= 1 && extent <= 4096)) {
    throw new UnnoiseError("data", `density: expected columns and rows in 1…4096, got ${columns} × ${rows}`);
  }
  if (!(bandwidth >= 0 && bandwidth < Infinity)) {
    throw new UnnoiseError("data", `density: expected a finite bandwidth ≥ 0, got ${bandwidth}`);
  }
  checkExtent(x, "density: x");
  checkExtent(y, "density: y");
}

function cellOf(value: number, [low, high]: Domain, cells: number): number {
  if (!(value >= low && value <= high)) return -1;
  return Math.min(cells - 1, Math.floor(((value - low) / (high - low)) * cells));
}

/** σ n^(−1/6), Scott's rule for one Gaussian in the plane. */
function scott(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) * values.length ** (-1 / 6);
}

/** Weights 0, 1, … cells away of a Gaussian with standard deviation `width` cells, cut at four of them; both sides sum to 1. */
function gaussianKernel(width: number): number[] {
  const reach = Math.min(4096, Math.ceil(4 * width));
  const weights = Array.from({ length: reach + 1 }, (_, away) =>
    away === 0 ? 1 : Math.exp(-0.5 * (away / width) ** 2),
  );
  const total = weights.reduce((sum, weight, away) => sum + (away === 0 ? 1 : 2) * weight, 0);
  return weights.map((weight) => weight / total);
}

interface Lines {
  readonly count: number;
  readonly stride: number;
  readonly lines: number;
  readonly step: number;
}

/** Convolves every line of a grid; what would leave it comes back from the border. */
function smoothed(values: Float64Array, { count, stride, lines, step }: Lines, kernel: readonly number[]) {
  const result = new Float64Array(values.length);
  const spread = (from: number, line: number, away: number, weight: number): void => {
    const target = line * step + reflected(from + away, count) * stride;
    result[target] = (result[target] ?? 0) + weight;
  };
  for (let line = 0; line < lines; line++) {
    for (let from = 0; from < count; from++) {
      const value = values[line * step + from * stride] ?? 0;
      if (value === 0) continue;
      kernel.forEach((weight, away) => {
        spread(from, line, away, value * weight);
        if (away > 0) spread(from, line, -away, value * weight);
      });
    }
  }
  return result;
}

function reflected(index: number, count: number): number {
  const place = ((index % (2 * count)) + 2 * count) % (2 * count);
  return place < count ? place : 2 * count - 1 - place;
}
