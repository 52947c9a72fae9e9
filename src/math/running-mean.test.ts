import { expect, test } from "vitest";
import { RunningMean, meanOf } from "./running-mean.ts";

test("mean, variance and standard error, far from zero too", () => {
  for (const offset of [0, 1e9]) {
    const { mean, variance, standardError } = meanOf([1, 2, 3, 6].map((value) => value + offset));
    expect(mean - offset).toBeCloseTo(3, 6);
    expect(variance).toBeCloseTo(14 / 3, 6);
    expect(standardError).toBeCloseTo(Math.sqrt(14 / 12), 6);
  }
});

test("too few values have no mean or no spread", () => {
  const running = new RunningMean();
  expect(running.estimate()).toEqual({ mean: NaN, standardError: NaN });
  running.add(4);
  expect(running.estimate()).toEqual({ mean: 4, standardError: NaN });
});
