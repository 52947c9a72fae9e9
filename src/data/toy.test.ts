import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { toyDataset } from "./dataset.ts";
import { COUNT } from "./test-points.ts";
import { cross } from "./toy-areas.ts";
import { isToyName, toyDatasets, toyNames } from "./toy.ts";

describe.each(toyNames)("%s", (name) => {
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

test("names are those of the sets and nothing else", () => {
  expect(toyNames).toHaveLength(10);
  expect(toyNames.every(isToyName)).toBe(true);
  for (const name of ["moon", "", "toString", "Moons"]) expect(isToyName(name)).toBe(false);
});
