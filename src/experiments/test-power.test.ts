import { describe, expect, it } from "vitest";
import { timeOfChance, timeOfPower, wilsonShare } from "./test-power.ts";

describe("shares", () => {
  it("have the interval whose ends are 1.96 of their own deviations away", () => {
    for (const [successes, trials] of [
      [3, 40],
      [20, 40],
      [77, 80],
    ] as const) {
      const { share, low, high } = wilsonShare(successes, trials);
      for (const end of [low, high]) {
        expect(Math.abs(share - end) / Math.sqrt((end * (1 - end)) / trials)).toBeCloseTo(1.959964, 5);
      }
    }
  });

  it("stay inside 0…1 and do not collapse at the ends", () => {
    const [none, all] = [wilsonShare(0, 50), wilsonShare(50, 50)];
    expect(none.share).toBe(0);
    expect(none.low).toBeGreaterThanOrEqual(0);
    expect(none.low).toBeLessThan(1e-12);
    expect(none.high).toBeGreaterThan(0.05);
    expect(all.low).toBeLessThan(0.95);
    expect(all.high).toBeLessThanOrEqual(1);
  });
});

describe("the time of a power", () => {
  it("is interpolated at the last crossing", () => {
    expect(timeOfPower([0, 10, 20], [1, 0.75, 0.25], 0.5)).toBeCloseTo(15, 12);
    expect(timeOfPower([0, 10, 20, 30], [0.6, 0.4, 0.6, 0.2], 0.5)).toBeCloseTo(22.5, 12);
  });

  it("is missing where there is no crossing", () => {
    expect(timeOfPower([0, 10], [0.4, 0.2], 0.5)).toBeNull();
    expect(timeOfPower([0, 10], [0.9, 0.5], 0.5)).toBeNull();
  });

  it("of chance is the first from which on all intervals hold the level", () => {
    const powers = [90, 6, 30, 6, 3].map((successes) => wilsonShare(successes, 100));
    expect(timeOfChance([1, 2, 3, 4, 5], powers, 0.05)).toBe(4);
    expect(timeOfChance([1, 2, 3], powers.slice(0, 3), 0.05)).toBeNull();
  });
});
