import { describe, expect, it } from "vitest";
import { crossingTime } from "./decision-time.ts";

describe("the time at which a share crosses a level", () => {
  it("is linear between times, from 1 at t = 0", () => {
    expect(crossingTime([100, 200], [0.8, 0.2])).toBeCloseTo(150, 12);
    expect(crossingTime([100, 200], [0.25, 0])).toBeCloseTo((100 * 0.5) / 0.75, 12);
  });

  it("is the last time where the share never comes down", () => {
    expect(crossingTime([100, 1000], [1, 0.9])).toBe(1000);
  });

  it("is the latest of several crossings", () => {
    expect(crossingTime([100, 200, 300, 400], [0.4, 0.6, 0.6, 0.2])).toBeCloseTo(325, 12);
  });
});
