import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { meanOf } from "../math/running-mean.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { PathRecorder, ratioOfMeans, spreadTimes } from "./path-recorder.ts";

describe("recorded paths", () => {
  it("have the length of all their steps, and that of the kept states", () => {
    const recorder = new PathRecorder({ mean: [10, 0], scale: [2, 1] }, new Set([0, 2]));
    recorder.add(0, floatTensor([0, 0, 1, 1], [2, 2]));
    recorder.add(1, floatTensor([3, 0, 1, 2], [2, 2]));
    recorder.add(2, floatTensor([3, 4, 1, 1], [2, 2]));
    const values = recorder.values(["x", "y"]);
    expect(values.times).toEqual([0, 2]);
    expect(values.length.mean).toBeCloseTo((7 + 2) / 2, 12);
    expect(values.keptLength.mean).toBeCloseTo(5 / 2, 12);
    expect(values.distance.mean).toBeCloseTo(5 / 2, 12);
    expect(values.detour.mean).toBeCloseTo(9 / 5, 12);
    expect(values.keptDetour).toEqual({ mean: 1, standardError: 0 });
    expect(recorder.states()).toEqual(floatTensor([10, 0, 12, 1, 16, 4, 12, 1], [2, 2, 2]));
  });

  it("are kept at times that are spread from 0 to T", () => {
    expect([...spreadTimes(10, 4)]).toEqual([0, 3, 5, 8, 10]);
    expect([...spreadTimes(3, 60)].length).toBe(4);
  });
});

describe("the ratio of means", () => {
  it("has the standard error by which it scatters", () => {
    const [count, repetitions] = [200, 600];
    const random = new Random(1, "metric");
    const draws = new Float64Array(2 * count);
    const results = Array.from({ length: repetitions }, (_, repetition) => {
      random.normals(draws, 2, 0, repetition);
      const b = Float64Array.from({ length: count }, (__, i) => 4 + at(draws, 2 * i));
      const a = b.map((value, i) => 1.5 * value + 0.5 * at(draws, 2 * i + 1));
      return ratioOfMeans(a, b);
    });
    const ratios = meanOf(results.map(({ mean }) => mean));
    const told = meanOf(results.map(({ standardError }) => standardError)).mean;
    expect(Math.abs(ratios.mean - 1.5)).toBeLessThan(4 * ratios.standardError);
    // A deviation from m draws is known to a share of 1/√(2m).
    const tolerance = 4 / Math.sqrt(2 * repetitions);
    expect(Math.abs(told / Math.sqrt(ratios.variance) - 1)).toBeLessThan(tolerance);
    // Were a and b not paired, the error would be larger.
    const unpaired = Math.sqrt((1.5 ** 2 + 0.25 + 1.5 ** 2) / count) / 4;
    expect(Math.abs(unpaired / Math.sqrt(ratios.variance) - 1)).toBeGreaterThan(tolerance);
  });
});
