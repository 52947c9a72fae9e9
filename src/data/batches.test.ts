import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { BatchOrder, gatherRows } from "./batches.ts";

function take(order: BatchOrder, length: number, position: number): Int32Array {
  const out = new Int32Array(length);
  order.indices(out, position);
  return out;
}

function sorted(indices: Int32Array): number[] {
  return [...indices].sort((a, b) => a - b);
}

describe("batch order", () => {
  test("each epoch holds every row once, and epochs differ", () => {
    const order = new BatchOrder(97, 3);
    const epochs = [0, 1, 2, 5000].map((epoch) => take(order, 97, 97 * epoch));
    const all = Array.from({ length: 97 }, (_, i) => i);
    for (const epoch of epochs) expect(sorted(epoch)).toEqual(all);
    expect(new Set(epochs.map((epoch) => epoch.join())).size).toBe(4);
  });

  test("any cut of the sequence into batches gives the same sequence", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
        (count, start, sizes) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const whole = take(new BatchOrder(count, 9), total, start);
          const order = new BatchOrder(count, 9);
          let position = start;
          const parts = sizes.flatMap((size) => {
            const part = [...take(order, size, position)];
            position += size;
            return part;
          });
          expect(parts).toEqual([...whole]);
        },
      ),
    );
  });

  test("going back gives the same rows again", () => {
    const order = new BatchOrder(50, 1);
    const first = take(order, 64, 0);
    take(order, 64, 640);
    expect(take(order, 64, 0)).toEqual(first);
  });

  test("depends on the seed", () => {
    expect(take(new BatchOrder(1000, 1), 20, 0)).not.toEqual(take(new BatchOrder(1000, 2), 20, 0));
  });

  test("epoch borders stay exact up to 2^53", () => {
    const count = 50_001;
    const epochs = Math.floor(2 ** 53 / count) - 2;
    const order = new BatchOrder(count, 3);
    const border = epochs * count;
    const whole = take(order, count, border);
    expect(sorted(whole)).toEqual(Array.from({ length: count }, (_, i) => i));
    const across = take(order, 10, border - 1);
    expect(across.slice(1)).toEqual(whole.slice(0, 9));
    expect(across.slice(0, 1)).toEqual(take(order, count, border - count).slice(-1));
  });

  test("every row is as likely at every place (mean place within 4 standard errors)", () => {
    const count = 10;
    const epochs = 4000;
    const order = new BatchOrder(count, 5);
    const sums = new Float64Array(count);
    for (let epoch = 0; epoch < epochs; epoch++) {
      take(order, count, epoch * count).forEach((row, place) => {
        sums[row] = at(sums, row) + place;
      });
    }
    const standardError = Math.sqrt((count ** 2 - 1) / 12 / epochs);
    for (const sum of sums) expect(Math.abs(sum / epochs - (count - 1) / 2)).toBeLessThan(4 * standardError);
    expect(0.5).toBeGreaterThan(4 * standardError);
  });

  test.each([0, -1, 1.5, 2 ** 31, NaN])("refuses %d rows", (count) => {
    expect(() => new BatchOrder(count, 0)).toThrow(/number of rows/);
  });

  test.each([-1, 0.5, 2 ** 53, NaN])("refuses position %d", (position) => {
    expect(() => take(new BatchOrder(3, 0), 1, position)).toThrow(/position/);
  });
});

describe("gathering rows", () => {
  const points = floatTensor([0, 1, 10, 11, 20, 21], [3, 2]);

  test("copies the chosen rows in order", () => {
    const out = new Float32Array(8);
    gatherRows(points, Int32Array.of(2, 0, 2, 1), out);
    expect([...out]).toEqual([20, 21, 0, 1, 20, 21, 10, 11]);
  });

  test("keeps all axes of a row", () => {
    const out = new Float32Array(4);
    gatherRows(floatTensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]), Int32Array.of(1), out);
    expect([...out]).toEqual([5, 6, 7, 8]);
  });

  test("stops at rows that do not exist and at a batch of another size", () => {
    expect(() => {
      gatherRows(points, Int32Array.of(3), new Float32Array(2));
    }).toThrow(/row 3 outside 0…2/);
    expect(() => {
      gatherRows(points, Int32Array.of(-1), new Float32Array(2));
    }).toThrow(/row -1/);
    expect(() => {
      gatherRows(points, Int32Array.of(0), new Float32Array(3));
    }).toThrow(/batch of 1 × 2 in 3/);
  });
});
