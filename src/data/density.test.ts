import fc from "fast-check";
import { expect, test } from "vitest";
import type { DeepImage } from "../formats/image.ts";
import { at } from "../math/error.ts";
import { imageDensity, pointDensity, strokeDensity, type Generator } from "./density.ts";
import type { Point } from "./scatter.ts";
import { COUNT, deviation, pointsOf, shares } from "./test-points.ts";

/** A grey image of the levels and opacities given, row by row from the top. */
function picture(width: number, levels: readonly number[], opacities: readonly number[] = []): DeepImage {
  const data = Uint8Array.from(levels.flatMap((level, i) => [level, level, level, opacities[i] ?? 255]));
  return { width, height: levels.length / width, data, largest: 255 };
}

const pointsIn = (generate: Generator, count = COUNT): Point[] => pointsOf(generate({ count, seed: 3 }));

// Darkness times opacity: 255, 0, 51 and 204 · 102/255 = 81.6 of 387.6, in pixels of side ½ over [−1, 1] × [−½, ½].
const four = picture(4, [0, 255, 204, 51, 255, 255, 255, 255], [255, 255, 255, 102]);

test("an image's pixels have as many points as their darkness times opacity says", () => {
  const points = pointsIn(imageDensity(four, "p.png"));
  const total = 255 + 51 + 81.6;
  const counts = [0, 1, 2, 3].map((column) => points.filter(([x]) => Math.floor((x + 1) * 2) === column).length);
  expect(at(counts, 1)).toBe(0);
  for (const [column, mass] of [
    [0, 255],
    [2, 51],
    [3, 81.6],
  ] as const) {
    expect(deviation(at(counts, column), COUNT, mass / total)).toBeLessThan(4);
  }
  // Without the opacity the last pixel would have 204 of 510, and its levels as densities 51 of 306.
  for (const wrong of [204 / 510, 51 / 306]) expect(deviation(at(counts, 3), COUNT, wrong)).toBeGreaterThan(4);
});

test("an image lies around the origin, y up, its longer side over [−1, 1], with square pixels", () => {
  const wide = pointsIn(imageDensity(four, "p.png"));
  expect(wide.every(([x, y]) => Math.abs(x) <= 1 && y >= 0 && y <= 0.5)).toBe(true);
  const tall = pointsIn(imageDensity(picture(1, [255, 255, 255, 0]), "p.png"));
  expect(tall.every(([x, y]) => Math.abs(x) <= 0.25 && y >= -1 && y <= -0.5)).toBe(true);
});

test("points are even inside a pixel", () => {
  const points = pointsIn(imageDensity(picture(2, [255, 0, 255, 255]), "p.png"));
  const cells = points.map(([x, y]) => 5 * Math.min(4, Math.floor(5 * x)) + Math.min(4, Math.floor(5 * y)));
  expect(Math.max(...shares(25, cells))).toBeLessThan(4);
  expect(Math.max(...shares(26, cells))).toBeGreaterThan(4);
});

test("a colour is as dark as its luma says, in 16 bits as in 8", () => {
  const deep = Uint16Array.from([65_535, 0, 0, 65_535, 0, 0, 65_535, 65_535]);
  const points = pointsIn(imageDensity({ width: 2, height: 1, data: deep, largest: 65_535 }, "p.png"));
  const red = points.filter(([x]) => x < 0).length;
  const share = (1 - 0.2126) / (2 - 0.2126 - 0.0722);
  expect(deviation(red, COUNT, share)).toBeLessThan(4);
  expect(deviation(red, COUNT, 1 / 2)).toBeGreaterThan(4);
});

test("an image without any darkness is refused", () => {
  for (const blank of [picture(2, [255, 255]), picture(2, [0, 0], [0, 0])]) {
    expect(() => imageDensity(blank, "p.png")).toThrow("p.png: every pixel is white or transparent; expected a shape");
  }
});

const strokes: readonly (readonly Point[])[] = [
  [
    [0, 0],
    [3, 0],
    [3, 0],
    [3, 1],
  ],
  [
    [-2, -2],
    [-2, -4],
  ],
];

test("strokes have as many points as their length says, even along them", () => {
  const points = pointsIn(strokeDensity(strokes, 0, "d.json"));
  const level = points.filter(([, y]) => y === 0);
  const upright = points.filter(([x, y]) => x === 3 && y > 0);
  const other = points.filter(([x]) => x === -2);
  expect(level.length + upright.length + other.length).toBe(COUNT);
  expect(deviation(level.length, COUNT, 3 / 6)).toBeLessThan(4);
  expect(deviation(upright.length, COUNT, 1 / 6)).toBeLessThan(4);
  expect(deviation(other.length, COUNT, 2 / 6)).toBeLessThan(4);
  // The same for each piece, or for each stroke.
  for (const wrong of [1 / 3, 3 / 8]) expect(deviation(level.length, COUNT, wrong)).toBeGreaterThan(4);
  expect(
    Math.max(
      ...shares(
        6,
        level.map(([x]) => Math.floor(2 * x)),
      ),
    ),
  ).toBeLessThan(4);
});

test("the spread blurs strokes and points by a Gaussian of that deviation", () => {
  const line = strokeDensity([strokes[1] ?? []], 0.2, "d.json");
  const around = pointDensity([[-2, 5, 1]], 3, 0.2)({ count: COUNT, seed: 4 });
  expect(around.shape).toEqual([COUNT, 3]);
  const across = [
    pointsIn(line).map(([x]) => x + 2),
    Array.from({ length: COUNT }, (_, i) => at(around.data, 3 * i + 2) - 1),
  ];
  for (const offsets of across) {
    const variance = offsets.reduce((sum, x) => sum + x * x, 0) / COUNT;
    const error = Math.sqrt(2 / COUNT);
    expect(Math.abs(variance / 0.04 - 1)).toBeLessThan(4 * error);
    expect(Math.abs(variance / 0.2 ** 2 / 1.1 - 1)).toBeGreaterThan(4 * error);
  }
});

test("points with a spread are equally likely", () => {
  const middles = [[0], [10], [20]];
  const { data } = pointDensity(middles, 1, 0.1)({ count: COUNT, seed: 6 });
  const found = [...data].map((value) => Math.round(value / 10));
  expect(Math.max(...shares(3, found))).toBeLessThan(4);
});

test("strokes without length are refused", () => {
  expect(() => strokeDensity([[at(strokes, 0)[0] ?? [0, 0]]], 0.1, "d.json")).toThrow(
    "d.json: the strokes have no length",
  );
});

test("point i of a seed is the same at every count and start", () => {
  const generators = [imageDensity(four, "p"), strokeDensity(strokes, 0.1, "d"), pointDensity([[1, 2]], 2, 1)];
  fc.assert(
    fc.property(
      fc.constantFrom(...generators),
      fc.nat(80),
      fc.integer({ min: 1, max: 40 }),
      (generate, start, count) => {
        const all = generate({ count: 120, seed: 9 }).data;
        const some = generate({ count, seed: 9, firstIndex: start }).data;
        expect(some).toEqual(all.slice(2 * start, 2 * (start + count)));
      },
    ),
    { numRuns: 50 },
  );
});

test.each([1e38, 1e308])("a spread of %d, which float32 cannot hold, is refused rather than drawn", (spread) => {
  expect(() => pointDensity([[0, 0]], 2, spread)({ count: 1000, seed: 1 })).toThrow(
    /float32 can hold.*got a spread of/,
  );
  const line = [
    [
      [0, 0],
      [1, 1],
    ],
  ] as const;
  expect(() => strokeDensity(line, spread, "x")({ count: 1000, seed: 1 })).toThrow(/float32 can hold/);
});
