import { describe, expect, test } from "vitest";
import { nearMiss, parseTrainingConfig } from "./config.ts";
import { learningRateAt } from "./learning-rate.ts";

describe("parseTrainingConfig", () => {
  test("fills in defaults and keeps what is given", () => {
    const config = parseTrainingConfig({ data: "moons", width: 64 });
    expect(config).toMatchObject({
      data: "moons",
      width: 64,
      depth: 4,
      timesteps: 1000,
      device: "auto",
      threads: null,
    });
  });

  test.each([
    [{ data: "moons", iteratons: 5 }, /unknown key iteratons; did you mean iterations\?/],
    [{ data: "moons", learning_rate: 5 }, /unknown key learning_rate; did you mean learningRate\?/],
    [{ data: "moons", zebra: 5 }, /unknown key zebra; known keys: data,/],
    [{ data: "moons", timesteps: 0 }, /timesteps: got 0;/],
    [{ data: "moons", batchSize: 1.5 }, /batchSize: got 1\.5;/],
    [{ data: "moons", emaDecay: 1 }, /emaDecay: got 1;/],
    [{ data: "moons", device: "gpu" }, /device: got "gpu";/],
    [{ data: "moons", timeFeatures: 5 }, /timeFeatures: got 5;/],
    [{}, /data: got nothing;/],
    [[], /file\.json: /],
  ])("%j is refused in one line", (options, message) => {
    expect(() => parseTrainingConfig(options, "file.json")).toThrow(message);
    expect(() => parseTrainingConfig(options, "file.json")).toThrow(/^[^\n]+$/);
  });

  test("near misses are near", () => {
    expect(nearMiss("seeed", ["seed", "width"])).toBe("seed");
    expect(nearMiss("zebra", ["seed", "width"])).toBeUndefined();
  });
});

test("the learning rate rises linearly, then falls as a cosine to 0", () => {
  const rates = { learningRate: 2, warmup: 4, decay: "cosine", iterations: 12 } as const;
  const at = (iteration: number): number => learningRateAt(iteration, rates);
  expect([0, 1, 2, 3].map(at)).toEqual([0.5, 1, 1.5, 2]);
  expect(at(4)).toBe(2);
  expect(at(8)).toBeCloseTo(1, 12);
  expect(at(12)).toBeCloseTo(0, 12);
  expect(learningRateAt(11, { ...rates, decay: "constant" })).toBe(2);
});
