import { expect, test } from "vitest";
import type { Point } from "./scatter.ts";
import { COUNT, deviation, pointsOf, shares } from "./test-points.ts";
import { checkerboard, cross } from "./toy-areas.ts";

const clean = { count: COUNT, noise: 0, seed: 5 };

test("the cross without noise has the same density everywhere on two bars", () => {
  const turned = pointsOf(cross(clean)).map(([x, y]): Point => [(x + y) * Math.SQRT1_2, (y - x) * Math.SQRT1_2]);
  const inside = (value: number, half: number): boolean => Math.abs(value) < half + 1e-6;
  expect(turned.every(([a, b]) => (inside(a, 1.4) && inside(b, 0.2)) || (inside(b, 1.4) && inside(a, 0.2)))).toBe(true);
  const area = 2 * 2.8 * 0.4 - 0.4 ** 2;
  const share = (test: (point: Point) => boolean, part: number): number =>
    deviation(turned.filter(test).length, COUNT, part / area);
  const middle = ([a, b]: Point): boolean => inside(a, 0.2) && inside(b, 0.2);
  expect(share(middle, 0.16)).toBeLessThan(4);
  // Two whole bars laid over each other would fill the middle twice.
  expect(share(middle, (0.16 * 2 * area) / (2 * 2.8 * 0.4))).toBeGreaterThan(4);
  for (const end of [1, -1]) {
    expect(share(([a]) => end * a > 1, 0.16)).toBeLessThan(4);
    expect(share(([, b]) => end * b > 1, 0.16)).toBeLessThan(4);
  }
});

test("the checkerboard without noise fills every other square of [−1, 1]² evenly, that right above the origin among them", () => {
  const points = pointsOf(checkerboard(clean));
  expect(points.every(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) <= 1)).toBe(true);
  const cells = points.map(([x, y]): Point => [Math.min(3, Math.floor(2 * x + 2)), Math.min(3, Math.floor(2 * y + 2))]);
  expect(cells.filter(([column, row]) => (column + row) % 2 !== 0)).toEqual([]);
  const squares = cells.map(([column, row]) => 2 * row + (column >> 1));
  expect(Math.max(...shares(8, squares))).toBeLessThan(4);
  const parts = points.map(([x, y]) => 4 * Math.floor((8 * (x + 1)) % 4) + Math.floor((8 * (y + 1)) % 4));
  expect(Math.max(...shares(16, parts))).toBeLessThan(4);
  // One square more or less would show.
  const first = squares.filter((square) => square === 0).length;
  for (const wrong of [7, 9]) expect(deviation(first, COUNT, 1 / wrong)).toBeGreaterThan(4);
});
