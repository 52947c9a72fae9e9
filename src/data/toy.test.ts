import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { toyDataset } from "./dataset.ts";
import { cross, moons, swissRoll, toyDatasets, type ToyName } from "./toy.ts";

type Point = [x: number, y: number];

function pointsOf({ data }: FloatTensor): Point[] {
  return Array.from({ length: data.length / 2 }, (_, i) => [at(data, 2 * i), at(data, 2 * i + 1)]);
}

/** How many standard errors a count lies from what its probability lets expect. */
function deviation(count: number, trials: number, probability: number): number {
  return Math.abs(count - trials * probability) / Math.sqrt(trials * probability * (1 - probability));
}

const COUNT = 20_000;
const names: readonly ToyName[] = ["swiss-roll", "moons", "cross"];

describe.each(names)("%s", (name) => {
  const { generate, noise } = toyDatasets[name];

  test("point i of a seed is the same at every count and start", () => {
    const many = generate({ count: 500, noise, seed: 11 });
    expect(generate({ count: 7, noise, seed: 11 }).data).toEqual(many.data.slice(0, 14));
    expect(generate({ count: 20, noise, seed: 11, firstIndex: 480 }).data).toEqual(many.data.slice(960));
    expect(many.shape).toEqual([500, 2]);
  });

  test("another seed gives other points", () => {
    const [a, b] = [generate({ count: 500, noise, seed: 1 }), generate({ count: 500, noise, seed: 2 })];
    expect(a.data.filter((value, i) => value === b.data[i]).length).toBeLessThan(3);
  });

  test("the noise is normal with the deviation asked for, and independent of the place", () => {
    const clean = generate({ count: COUNT, noise: 0, seed: 3 }).data;
    const noisy = generate({ count: COUNT, noise: 0.5, seed: 3 }).data;
    const draws = Float64Array.from(noisy, (value, i) => (value - at(clean, i)) / 0.5);
    const mean = draws.reduce((sum, z) => sum + z, 0) / draws.length;
    const variance = draws.reduce((sum, z) => sum + z * z, 0) / draws.length;
    const covariance = draws.reduce((sum, z, i) => sum + z * at(clean, i), 0) / draws.length;
    const meanSquare = clean.reduce((sum, x) => sum + x * x, 0) / clean.length;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(draws.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
    expect(Math.abs(variance - 1.1)).toBeGreaterThan(4 * Math.sqrt(2 / draws.length));
    expect(Math.abs(covariance)).toBeLessThan(4 * Math.sqrt(meanSquare / draws.length));
  });

  test.each([
    [{ count: 0 }, /count/],
    [{ count: 1.5 }, /count/],
    [{ noise: -1 }, /noise/],
    [{ noise: NaN }, /noise/],
    [{ seed: -1 }, /seed/],
    [{ firstIndex: 2 ** 32 - 5 }, /points 4294967291…4294967300/],
  ])("refuses %j", (wrong, message) => {
    expect(() => generate({ count: 10, noise: 0, seed: 0, ...wrong })).toThrow(message);
  });
});

test("the swiss roll without noise is the spiral of radius t/10 at angle t, t uniform in 3π/2…9π/2", () => {
  const ts = pointsOf(swissRoll({ count: COUNT, noise: 0, seed: 5 })).map(([x, y]) => {
    const t = 10 * Math.hypot(x, y);
    expect(Math.abs(x * Math.sin(t) - y * Math.cos(t))).toBeLessThan(1e-5);
    return t;
  });
  expect(Math.min(...ts)).toBeGreaterThan(1.5 * Math.PI - 1e-5);
  expect(Math.max(...ts)).toBeLessThan(4.5 * Math.PI + 1e-5);
  const inFirstThird = ts.filter((t) => t < 2.5 * Math.PI).length;
  expect(deviation(inFirstThird, COUNT, 1 / 3)).toBeLessThan(4);
  // Uniform in length along the spiral instead would put 1/3·(2/3) of the points there.
  expect(deviation(inFirstThird, COUNT, 2 / 9)).toBeGreaterThan(4);
});

test("the moons without noise are two half circles with half of the points each", () => {
  const points = pointsOf(moons({ count: COUNT, noise: 0, seed: 5 }));
  const upper = points.filter(([x, y]) => Math.abs(Math.hypot(x, y) - 1) < 1e-6 && y > -1e-6);
  const lower = points.filter(([x, y]) => Math.abs(Math.hypot(x - 1, y - 0.5) - 1) < 1e-6 && y < 0.5 + 1e-6);
  expect(upper.length + lower.length).toBe(COUNT);
  expect(deviation(upper.length, COUNT, 0.5)).toBeLessThan(4);
  const steep = upper.filter(([x]) => x > Math.SQRT1_2).length;
  expect(deviation(steep, upper.length, 1 / 4)).toBeLessThan(4);
});

test("the cross without noise has the same density everywhere on two bars", () => {
  const turned = pointsOf(cross({ count: COUNT, noise: 0, seed: 5 })).map(([x, y]): Point => [
    (x + y) * Math.SQRT1_2,
    (y - x) * Math.SQRT1_2,
  ]);
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

describe("as a data set", () => {
  test("has points, column names and fresh draws that are not among the points", () => {
    const { name, columns, points, draw } = toyDataset("moons", { count: 300, seed: 4 });
    expect([name, columns, points.shape]).toEqual(["moons", ["x", "y"], [300, 2]]);
    const fresh = draw?.(300, 4);
    expect(fresh?.shape).toEqual([300, 2]);
    const known = new Set(points.data);
    expect(fresh?.data.filter((value) => known.has(value)).length).toBeLessThan(3);
    expect(draw?.(300, 4).data).toEqual(fresh?.data);
  });

  test("has 50,000 points with the usual noise unless asked otherwise", () => {
    const { points } = toyDataset("cross");
    expect(points.data).toEqual(cross({ count: 50_000, noise: toyDatasets.cross.noise, seed: 0 }).data);
    expect(toyDataset("cross", { count: 10, noise: 0.3, seed: 9 }).points.data).toEqual(
      cross({ count: 10, noise: 0.3, seed: 9 }).data,
    );
  });
});
