import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { densityGrid, type DensityGrid } from "./density-grid.ts";

function normals(count: number, seed: number): FloatTensor {
  const data = new Float32Array(count * 2);
  new Random(seed, "figure").normals(data, 2);
  return floatTensor(data, [count, 2]);
}

const integral = ({ values, columns, rows, x, y }: DensityGrid): number =>
  (values.reduce((sum, value) => sum + value, 0) * (x[1] - x[0]) * (y[1] - y[0])) / (columns * rows);

describe("density on a grid", () => {
  it("adds up to the share of points inside, however wide the smoothing", () => {
    const points = normals(400, 1);
    const size = fc.integer({ min: 1, max: 24 });
    const bandwidth = fc.double({ min: 0, max: 5, noNaN: true });
    fc.assert(
      fc.property(size, size, bandwidth, fc.boolean(), (columns, rows, width, given) => {
        const [x, y] = [[-1, 2] as const, [-0.5, 1.5] as const];
        const grid = densityGrid(points, { x, y, columns, rows, ...(given ? { bandwidth: width } : {}) });
        const inside = Array.from({ length: 400 }, (_, row) => row).filter((row) => {
          const [a = 0, b = 0] = points.data.subarray(2 * row, 2 * row + 2);
          return a >= x[0] && a <= x[1] && b >= y[0] && b <= y[1];
        }).length;
        const cells = columns * rows;
        expect(Math.abs(integral(grid) - inside / 400)).toBeLessThan(200 * (cells + 1) * Number.EPSILON);
        expect(Math.min(...grid.values)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });

  it("is the histogram without smoothing, row 0 lowest", () => {
    const points = floatTensor([0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.8, 0.8, 5, 5], [5, 2]);
    const grid = densityGrid(points, { x: [0, 1], y: [0, 1], columns: 2, rows: 2, bandwidth: 0 });
    const expected = [0.8, 0.8, 0, 1.6];
    grid.values.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? 0, 12));
  });

  it("gives the height of a smoothed Gaussian within its standard error, and of no other width", () => {
    const [count, bandwidth, cells] = [20_000, 0.25, 161];
    const square = [-4.025, 4.025] as const;
    const grid = densityGrid(normals(count, 7), { x: square, y: square, columns: cells, rows: cells, bandwidth });
    const middle = grid.values[(cells * cells - 1) / 2] ?? 0;
    const height = (width: number): number => 1 / (2 * Math.PI * (1 + width ** 2 + 0.05 ** 2 / 12));
    const error = Math.sqrt(height(bandwidth / Math.SQRT2) / (4 * Math.PI * bandwidth ** 2 * count));
    expect(Math.abs(middle - height(bandwidth))).toBeLessThan(5 * error);
    expect(Math.abs(middle - height(2 * bandwidth))).toBeGreaterThan(5 * error);
  });

  it("smooths by half of Scott's rule unless told", () => {
    const points = normals(500, 3);
    const grid = { x: [-4, 4] as const, y: [-4, 4] as const, columns: 40, rows: 40 };
    const narrow = densityGrid(points, { ...grid, bandwidth: 0.5 * 500 ** (-1 / 6) });
    const largest = (values: ArrayLike<number>): number => Math.max(...Array.from(values));
    const chosen = densityGrid(points, grid);
    const gap = largest(chosen.values.map((value, index) => Math.abs(value - (narrow.values[index] ?? 0))));
    expect(gap).toBeLessThan(0.1 * largest(chosen.values));
    expect(gap).toBeGreaterThan(0);
  });

  it("leaves points out that are not finite, and refuses what is not a cloud in the plane", () => {
    const grid = { x: [0, 1] as const, y: [0, 1] as const, columns: 3, rows: 3 };
    expect(integral(densityGrid(floatTensor([0.5, 0.5, NaN, 0], [2, 2]), grid))).toBeCloseTo(1, 12);
    expect(() => densityGrid(floatTensor([NaN, 0], [1, 2]), grid)).toThrow(/one finite point/);
    expect(() => densityGrid(floatTensor([1, 2], [2, 1]), grid)).toThrow(/\[n, D ≥ 2\], got shape \[2, 1\]/);
    expect(() => densityGrid(normals(3, 1), { ...grid, rows: 0 })).toThrow(/got 3 × 0/);
    expect(() => densityGrid(normals(3, 1), { ...grid, bandwidth: -1 })).toThrow(/bandwidth ≥ 0, got -1/);
    expect(() => densityGrid(normals(3, 1), { ...grid, y: [2, 1] })).toThrow(/low < high, got \[2, 1\]/);
  });
});
