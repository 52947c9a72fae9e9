import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { toyDataset } from "./dataset.ts";
import type { Point } from "./scatter.ts";
import { COUNT, deviation, pointsOf } from "./test-points.ts";
import { toyClasses } from "./toy-labels.ts";
import { toyNames, type ToyName } from "./toy.ts";

const column = (x: number): number => Math.min(3, Math.floor(2 * x + 2));

/** For each set what the place of a point without noise says: whether it is of class 0, and the share of that class. */
const geometry: Readonly<Record<ToyName, { isFirst: (point: Point) => boolean; share: number }>> = {
  "swiss-roll": { isFirst: ([x, y]) => 10 * Math.hypot(x, y) < 3 * Math.PI, share: 1 / 2 },
  moons: { isFirst: ([x, y]) => Math.abs(Math.hypot(x, y) - 1) < 1e-6, share: 1 / 2 },
  cross: { isFirst: ([x, y]) => Math.abs(y - x) < 0.2 * Math.SQRT2 + 1e-6, share: 1.4 / 2.6 },
  circles: { isFirst: ([x, y]) => Math.hypot(x, y) > 0.75, share: 1 / 2 },
  spirals: {
    isFirst: ([x, y]) => {
      const t = Math.hypot(x, y) / 0.15;
      return x * Math.cos(t) + y * Math.sin(t) > 0;
    },
    share: 1 / 2,
  },
  "s-curve": { isFirst: ([, y]) => y > 0, share: 1 / 2 },
  pinwheel: { isFirst: ([x, y]) => Math.hypot(x, y) < 1, share: 1 / 2 },
  checkerboard: { isFirst: ([x]) => column(x) % 2 === 0, share: 1 / 2 },
  "8-gaussians": {
    isFirst: ([x, y]) => Math.round((Math.atan2(y, x) / Math.PI) * 4 + 8) % 2 === 0,
    share: 1 / 2,
  },
  "25-gaussians": { isFirst: ([x, y]) => Math.round(2 * (x + y) + 4) % 2 === 0, share: 13 / 25 },
};

describe.each(toyNames)("%s", (name) => {
  const { isFirst, share } = geometry[name];

  test("the labels are those of the places of the points, in the shares of the two classes", () => {
    const { points, labels = new Int32Array(), classes } = toyDataset(name, { count: COUNT, noise: 0, seed: 8 });
    expect([labels.length, classes?.length]).toEqual([COUNT, 2]);
    const wrong = pointsOf(points).filter((point, i) => isFirst(point) !== (labels[i] === 0));
    // On the border rounding to float32 decides.
    expect(wrong.length).toBeLessThan(3);
    const first = labels.filter((label) => label === 0).length;
    expect(deviation(first, COUNT, share)).toBeLessThan(4);
    expect(deviation(first, COUNT, share - 0.02)).toBeGreaterThan(4);
    expect([...new Set(labels)].sort()).toEqual([0, 1]);
  });

  test("the label of point i is the same at every count, start and noise", () => {
    const { label } = toyClasses[name];
    const many = label({ count: 500, seed: 11 });
    expect(label({ count: 7, seed: 11 })).toEqual(many.slice(0, 7));
    expect(label({ count: 20, seed: 11, firstIndex: 480 })).toEqual(many.slice(480));
    expect(toyDataset(name, { count: 500, seed: 11, noise: 0.7 }).labels).toEqual(many);
    expect(label({ count: 500, seed: 12 }).filter((each, i) => each !== at(many, i)).length).toBeGreaterThan(150);
  });
});
