import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { sample } from "../train/sample.ts";
import { train } from "../train/train.ts";
import { dataWarnings } from "./column-findings.ts";
import { checkLearnable, fitStandardiser, restoreConstants, standardise, unstandardise } from "./standardise.ts";

const SMALL = { iterations: 2, width: 8, depth: 1, timesteps: 4, batchSize: 4, device: "cpu" } as const;
const named = (points: FloatTensor): { name: string; columns: string[]; points: FloatTensor } => ({
  name: "mine",
  columns: Array.from({ length: points.shape[1] ?? 0 }, (_, i) => `c${i}`),
  points,
});

describe("points of which nothing can be learned", () => {
  test.each<[string, FloatTensor, RegExp]>([
    ["one row", floatTensor([1, 2], [1, 2]), /"mine": expected at least 2 points to learn from, got 1/],
    ["NaN", floatTensor([1, 2, 3, NaN], [2, 2]), /"mine", row 2, column 2: expected a finite number, got NaN/],
    ["infinity", floatTensor([1, -Infinity, 3, 4], [2, 2]), /row 1, column 2: .* got -Infinity/],
    ["no spread", floatTensor([1, 2, 1, 2, 1, 2], [3, 2]), /expected points that differ, got 3 that are all the same/],
  ])("%s: train refuses them", async (_, points, words) => {
    await expect(train(named(points), SMALL)).rejects.toThrow(words);
    await expect(train(named(points), SMALL)).rejects.toMatchObject({ code: "data" });
  });

  test("others are taken", () => {
    expect(() => {
      checkLearnable(floatTensor([1, 2, 1, 3], [2, 2]), "mine");
    }).not.toThrow();
  });
});

test("train tells what is odd, and samples have a constant column exactly", async () => {
  const rows = 40;
  const data = Array.from({ length: rows }, (_, row) => [Math.sin(row), 0.1]).flat();
  const points = floatTensor(data, [rows, 2]);
  const told: string[] = [];
  const model = await train(named(points), { ...SMALL, onWarning: (message) => told.push(message) });
  expect(told).toEqual(dataWarnings(named(points)));
  expect(told).toEqual([expect.stringMatching(/column "c1" is 0\.1 in every row/)]);
  const drawn = await sample(model, { count: 5 });
  expect([...drawn.data].filter((_, i) => i % 2 === 1)).toEqual(Array.from({ length: 5 }, () => Math.fround(0.1)));
});

describe("robust scaling", () => {
  const column = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 40 });
  test("is inverted as the usual one is", () => {
    fc.assert(
      fc.property(column, (values) => {
        const points = floatTensor(values, [values.length, 1]);
        const fitted = fitStandardiser(points, "robust");
        expect(fitted.scale[0]).toBeGreaterThan(0);
        const back = restoreConstants(unstandardise(standardise(points, fitted), fitted), fitted);
        const most = Math.max(...values.map(Math.abs), 1e-30);
        points.data.forEach((value, i) => {
          expect(Math.abs(value - (back.data[i] ?? NaN))).toBeLessThanOrEqual(most * 2 ** -20);
        });
      }),
    );
  });

  test("is moved by values far outside no further than to a neighbour, where the usual one is ruined", () => {
    const values = Array.from({ length: 2001 }, (_, i) => Math.sin(i));
    const clean = fitStandardiser(floatTensor(values, [2001, 1]), "robust");
    const spoilt = floatTensor(
      values.map((value, i) => (i === 7 ? 1e9 : value)),
      [2001, 1],
    );
    expect(fitStandardiser(spoilt, "robust").scale[0]).toBeCloseTo(clean.scale[0] ?? NaN, 2);
    expect(fitStandardiser(spoilt).scale[0]).toBeGreaterThan(1e6);
  });

  test("of clean data nothing changes where it is not asked for", () => {
    const points = floatTensor([1, 2, 3, 5], [2, 2]);
    expect(fitStandardiser(points)).toEqual({ mean: [2, 3.5], scale: [1, 1.5] });
  });
});
