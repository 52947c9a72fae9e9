import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { meanOf } from "../math/running-mean.ts";
import { COUNT, pointsOf } from "./test-points.ts";
import { toySupport } from "./toy-support.ts";
import { toyDatasets, toyNames, type ToyName } from "./toy.ts";

/** Mean square of a number uniform in a…b. */
const meanSquare = (a: number, b: number): number => (b ** 3 - a ** 3) / (3 * (b - a));

/** E(x² + y²) without noise, integrated by hand from each definition. */
const meanSquareRadius: Readonly<Record<ToyName, number>> = {
  "swiss-roll": meanSquare(1.5 * Math.PI, 4.5 * Math.PI) / 100,
  moons: (1 + 2.25 - 2 / Math.PI) / 2,
  cross: (1.12 * meanSquare(0, 1.4) + 0.96 * meanSquare(0.2, 1.4)) / 2.08 + meanSquare(0, 0.2),
  circles: (1 + 0.25) / 2,
  spirals: (0.15 ** 2 * (3 * Math.PI) ** 2) / 2,
  "s-curve": 2 + 4 / (3 * Math.PI),
  pinwheel: 1 + 0.3 ** 2,
  checkerboard: 2 * meanSquare(-1, 1),
  "8-gaussians": 1,
  "25-gaussians": 1,
};

describe.each(toyNames)("%s", (name) => {
  const expected = meanSquareRadius[name];

  test("its support has the mean square radius of the definition", () => {
    const { points, weights, cellVariance } = toySupport(name, 0.01);
    const cells = pointsOf(points);
    const mean = cells.reduce((sum, [x, y], i) => sum + (x * x + y * y) * (weights?.[i] ?? 1 / cells.length), 0);
    expect(Math.abs(mean + 2 * cellVariance - expected)).toBeLessThan(2e-4);
  });

  test("its points have that too, with the noise", () => {
    const noise = 0.2;
    const points = pointsOf(toyDatasets[name].generate({ count: COUNT, noise, seed: 8 }));
    const { mean, standardError } = meanOf(Float64Array.from(points, ([x, y]) => x * x + y * y));
    expect(Math.abs(mean - expected - 2 * noise ** 2)).toBeLessThan(4 * standardError);
    expect(Math.abs(mean - 1.05 * expected - 2 * noise ** 2)).toBeGreaterThan(4 * standardError);
  });
});

test("cells have weights where the density over the curve's parameter is not even: of sum 1, none of them zero", () => {
  const weighted = toyNames.filter((name) => toySupport(name, 0.05).weights !== undefined);
  expect(weighted).toEqual(["spirals", "pinwheel"]);
  for (const name of weighted) {
    const { points, weights = new Float64Array() } = toySupport(name, 0.05);
    expect(weights).toHaveLength(at(points.shape, 0));
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
  }
});
