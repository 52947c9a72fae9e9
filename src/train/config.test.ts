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
    [{ data: "moons", prediction: "noise" }, /prediction: got "noise";/],
    [{ data: "moons", freqShift: 2 }, /freqShift: got 2;/],
    [{ data: "moons", schedule: "cosine", betaStart: 0.1 }, /betaStart: schedule cosine has no use for it/],
    [{ data: "moons", sigmaMin: 0.1 }, /sigmaMin: schedule linear has no use for it; it takes timesteps, betaStart/],
    [{ data: "moons", objective: "hybrid" }, /file\.json: objective: hybrid teaches a variance/],
    [{ data: "moons", variance: "learned", objective: "simple" }, /simple teaches no variance/],
    [{ data: "moons", objective: "vlb", weighting: "edm" }, /the bound has weights of its own/],
    [{ data: "moons", weightingGamma: 5 }, /weightingGamma: only the weightings min-snr and p2/],
    [{ data: "moons", schedule: "learned", variance: "large" }, /variance: a learned schedule .* small, got large/],
    [{ data: "moons", schedule: "learned", objective: "simple" }, /objective: a learned schedule .* vlb, got simple/],
    [{ data: "moons", schedule: "learned", prediction: "score" }, /prediction: .*expected eps, x0, v, got score/],
    [{ data: "moons", schedule: "learned", timesteps: 1 }, /timesteps: a learned schedule has two ends/],
    [{ data: "moons", schedule: "learned", timestepDraw: "importance" }, /takes no importance draws/],
    [{ data: "digits", kind: "images", width: 64 }, /width: only training on points .*; digits are images/],
    [
      { data: "digits", kind: "images", labelDropout: 0.2 },
      /labelDropout: the network is told no class; add conditional/,
    ],
    [{ data: "moons", labelDropout: 0.2 }, /labelDropout: only training on images has a use for it/],
    [{ data: "digits", kind: "images", dataSize: 9 }, /dataSize: only training on points has a use for it/],
    [{}, /data: got nothing;/],
    [[], /file\.json: /],
  ])("%j is refused in one line", (options, message) => {
    expect(() => parseTrainingConfig(options, "file.json")).toThrow(message);
    expect(() => parseTrainingConfig(options, "file.json")).toThrow(/^[^\n]+$/);
  });

  test("fills in what depends on other options", () => {
    const plain = { variance: "large", objective: "simple", firstLogVariance: "second" };
    const learned = { variance: "small", objective: "vlb", firstLogVariance: "beta" };
    expect(parseTrainingConfig({ data: "moons" })).toMatchObject(plain);
    expect(parseTrainingConfig({ data: "moons", variance: "learned-range" })).toMatchObject({ objective: "hybrid" });
    expect(parseTrainingConfig({ data: "moons", schedule: "learned" })).toMatchObject(learned);
    const betas = [0.1, 0.2, 0.3];
    expect(parseTrainingConfig({ data: "moons", schedule: "learned", betas })).toMatchObject({
      ...plain,
      timesteps: 3,
    });
  });

  test("resolved, gives itself again", () => {
    for (const options of [
      {},
      { variance: "learned" },
      { schedule: "learned", timesteps: 50 },
      { schedule: "karras" },
    ]) {
      const config = parseTrainingConfig({ data: "moons", ...options });
      expect(parseTrainingConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
    }
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

describe("a preset", () => {
  test("gives defaults, which options overrule", () => {
    expect(parseTrainingConfig({ data: "moons", preset: "ddim-official" })).toMatchObject({
      preset: "ddim-official",
      firstLogVariance: "beta",
      lossReduction: "sum",
      timestepDraw: "antithetic",
      flipSinToCos: false,
    });
    const own = parseTrainingConfig({ data: "moons", preset: "openai", freqShift: 1, timestepDraw: "importance" });
    expect([own.flipSinToCos, own.freqShift, own.timestepDraw]).toEqual([true, 1, "importance"]);
    expect(parseTrainingConfig({ ...own })).toEqual(own);
  });

  test("is named where its choice does not go with a learned schedule", () => {
    const learns = { data: "moons", schedule: "learned", preset: "openai" };
    expect(() => parseTrainingConfig(learns)).toThrow(
      /got second, the choice of preset openai; add firstLogVariance beta/,
    );
    expect(parseTrainingConfig({ ...learns, firstLogVariance: "beta" })).toMatchObject({ freqShift: 0 });
  });

  test("is refused by name", () => {
    expect(() => parseTrainingConfig({ data: "moons", preset: "ho" })).toThrow(/preset: got "ho"/);
  });
});
