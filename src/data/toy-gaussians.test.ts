import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import type { Point } from "./scatter.ts";
import { COUNT, pointsOf, shares } from "./test-points.ts";
import { eightGaussians, grid, ring, twentyFiveGaussians } from "./toy-gaussians.ts";

const sets = [
  { name: "8-gaussians", generate: eightGaussians, means: ring, noise: 0.125, square: 0.5 },
  { name: "25-gaussians", generate: twentyFiveGaussians, means: grid, noise: 0.05, square: 0.5 },
];

const distance = ([a, b]: Point, [c, d]: Point): number => Math.hypot(a - c, b - d);

/** Number of the nearest mean. */
const nearest = (point: Point, means: readonly Point[]): number =>
  means.reduce((best, mean, k) => (distance(point, mean) < distance(point, at(means, best)) ? k : best), 0);

describe.each(sets)("$name", ({ generate, means, noise, square }) => {
  test("without noise every point is one of the means, each as often as the others", () => {
    const points = pointsOf(generate({ count: COUNT, noise: 0, seed: 5 }));
    const found = points.map((point) => nearest(point, means));
    const off = points.map((point, i) => distance(point, at(means, at(found, i))));
    expect(Math.max(...off)).toBeLessThan(1e-7);
    expect(Math.max(...shares(means.length, found))).toBeLessThan(4);
    expect(Math.max(...shares(means.length + 1, found))).toBeGreaterThan(4);
  });

  test("has the second moments of its definition: those of the means and noise²", () => {
    const points = pointsOf(generate({ count: COUNT, noise, seed: 6 }));
    for (const axis of [0, 1] as const) {
      const squares = points.map((point) => point[axis] ** 2);
      const mean = squares.reduce((sum, value) => sum + value, 0) / COUNT;
      const variance = squares.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (COUNT - 1);
      const error = Math.sqrt(variance / COUNT);
      expect(Math.abs(mean - (square + noise ** 2))).toBeLessThan(4 * error);
      expect(Math.abs(mean - (1.1 * square + noise ** 2))).toBeGreaterThan(4 * error);
    }
    const mixed = points.map(([x, y]) => x * y);
    const error = Math.sqrt(mixed.reduce((sum, value) => sum + value ** 2, 0)) / COUNT;
    expect(Math.abs(mixed.reduce((sum, value) => sum + value, 0)) / COUNT).toBeLessThan(4 * error);
  });
});

test("the ring starts at (1, 0) and has even steps; the grid has 25 points, ½ apart, in [−1, 1]²", () => {
  expect(ring).toHaveLength(8);
  expect(ring[0]).toEqual([1, 0]);
  ring.forEach((mean, k) => {
    expect(Math.hypot(...mean)).toBeCloseTo(1, 12);
    expect(distance(mean, at(ring, (k + 1) % 8))).toBeCloseTo(2 * Math.sin(Math.PI / 8), 12);
  });
  expect(new Set(grid.map(String)).size).toBe(25);
  expect(
    grid.every(([x, y]) => Number.isInteger(2 * x) && Number.isInteger(2 * y) && distance([0, 0], [x, y]) < 1.5),
  ).toBe(true);
});
