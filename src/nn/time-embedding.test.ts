import { describe, expect, it } from "vitest";
import { distance, torchGolden } from "../../test/golden-torch.ts";
import { at } from "../math/error.ts";
import { timestepTable } from "./time-embedding.ts";

describe("timestepTable", () => {
  it.each(torchGolden.embeddings)("with $features features is diffusers' embedding", ({ features, steps, rows }) => {
    const table = timestepTable(1000, features);
    steps.forEach((step, i) => {
      const row = table.subarray(step * features, (step + 1) * features);
      // diffusers computes the angle in float32: exponent, exp and product each round, so it is off by a few times 2^-24 of itself.
      const tolerance = (4 * step + 1) * 2 ** -23;
      expect(distance(row, at(rows, i)), `step ${step}`).toBeLessThan(tolerance);
    });
  });

  it("starts at sin 0 = 0 and cos 0 = 1, turns first by 1 and last by 1e-4 a step", () => {
    const table = timestepTable(2, 6);
    expect([...table.subarray(0, 6)]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(table[6]).toBe(Math.sin(1));
    expect(table[8]).toBeCloseTo(1e-4, 12);
  });

  it("has the variants of diffusers: cosines first, and a divisor of half", () => {
    const [plain, flipped] = [timestepTable(9, 6), timestepTable(9, 6, { flipSinToCos: true })];
    const shifted = timestepTable(9, 6, { freqShift: 0 });
    expect([...flipped.subarray(48)]).toEqual([...plain.subarray(51), ...plain.subarray(48, 51)]);
    expect([...shifted.subarray(48, 51)]).toEqual(
      [0, 1, 2].map((i) => Math.sin(8 * Math.exp(-Math.log(10_000) * (i / 3)))),
    );
    expect(timestepTable(9, 6, { flipSinToCos: false, freqShift: 1 })).toEqual(plain);
  });

  it("has a different row for every step", () => {
    const table = timestepTable(1000, 16);
    const rows = new Set(Array.from({ length: 1000 }, (_, t) => table.subarray(t * 16, (t + 1) * 16).join()));
    expect(rows.size).toBe(1000);
  });
});
