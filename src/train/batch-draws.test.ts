import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { BatchDraws } from "./batch-draws.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import type { Batch } from "./step-engine.ts";
import type { DropoutMask } from "./train-step.ts";
import type { TrainingData } from "./training-data.ts";

const COUNT = 40;
const CLASSES = ["a", "b", "c"];
const BATCH = 12;

/** Samples [1, 1, 2] that hold their row number plus one, negative where they are mirrored. */
const data: TrainingData = {
  kind: "images",
  count: COUNT,
  sampleShape: [1, 1, 2],
  labels: Int32Array.from({ length: COUNT }, (_, row) => row % 3),
  classes: CLASSES,
  gather: (rows, out, flips) =>
    rows.forEach((row, i) => out.fill((row + 1) * (flips?.[i] === 1 ? -1 : 1), 2 * i, 2 * i + 2)),
};

function configOf(options: Partial<TrainingConfig> = {}): TrainingConfig {
  const usual = { batchSize: BATCH, flips: true, conditional: true, labelDropout: 0.3, seed: 7, timesteps: 50 };
  return parseTrainingConfig({ data: "numbers", kind: "images", ...usual, ...options });
}

/** Masks of a network with two dropouts, for the rows of one part. */
const masksOf = (rows: number): DropoutMask[] => [
  { name: "keep.0", shape: [rows, 3, 5], rate: 0.2 },
  { name: "keep.1", shape: [rows * 4, 2], rate: 0.5 },
];

const drawsOf = (config: TrainingConfig): BatchDraws =>
  new BatchDraws(config, data, masksOf(config.batchSize / config.accumulate));

type Drawn = Record<string, number[]>;

/** The parts of a batch joined. */
function joined(parts: readonly Batch[]): Drawn {
  const all: Drawn = {};
  for (const { keeps = {}, ...part } of parts) {
    for (const [name, values] of Object.entries({ ...part, ...keeps })) (all[name] ??= []).push(...values);
  }
  return all;
}

function drawn(config: TrainingConfig, iteration: number): Drawn {
  const draws = drawsOf(config);
  draws.draw(iteration, undefined);
  return joined(draws.parts);
}

describe("a batch", () => {
  it("is the same at any number of parts", () => {
    const whole = drawn(configOf(), 5);
    expect(Object.keys(whole).sort()).toEqual(["classLabels", "eps", "keep.0", "keep.1", "steps", "x0"]);
    for (const accumulate of [2, 3, 12]) expect(drawn(configOf({ accumulate }), 5)).toEqual(whole);
  });

  it("does not depend on what was drawn before, but on iteration and seed", () => {
    const config = configOf({ accumulate: 2 });
    const draws = drawsOf(config);
    for (let iteration = 0; iteration <= 9; iteration++) draws.draw(iteration, undefined);
    expect(joined(draws.parts)).toEqual(drawn(config, 9));
    for (const other of [drawn(config, 8), drawn({ ...config, seed: 8 }, 9)]) {
      for (const name of ["x0", "eps", "steps", "classLabels", "keep.0", "keep.1"])
        expect([name, other[name]]).not.toEqual([name, joined(draws.parts)[name]]);
    }
  });

  it("goes through all samples before it begins again, whether they are mirrored or not", () => {
    const config = configOf({ batchSize: 10 });
    const draws = drawsOf(config);
    const seen: number[] = [];
    for (let iteration = 0; iteration < 4; iteration++) {
      draws.draw(iteration, undefined);
      seen.push(
        ...at(draws.parts, 0)
          .x0.filter((_, i) => i % 2 === 0)
          .map(Math.abs),
      );
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, row) => row + 1));
  });

  it("tells the class of its sample or that of no class", () => {
    const { x0 = [], classLabels = [] } = drawn(configOf(), 3);
    classLabels.forEach((label, i) => {
      const own = (Math.abs(x0[2 * i] ?? 0) - 1) % 3;
      expect([own, CLASSES.length]).toContain(label);
    });
    const told = drawn(configOf({ labelDropout: 0 }), 3);
    expect(told["classLabels"]).toEqual(
      (told["x0"] ?? []).filter((_, i) => i % 2 === 0).map((x) => (Math.abs(x) - 1) % 3),
    );
    expect(told["x0"]).toEqual(x0);
  });

  it("mirrors nothing, tells no class and drops nothing where nobody asks", () => {
    const draws = new BatchDraws(configOf({ flips: false, conditional: false, labelDropout: 0.1 }), data, []);
    for (let iteration = 0; iteration < 20; iteration++) {
      draws.draw(iteration, undefined);
      const { x0, classLabels, keeps } = at(draws.parts, 0);
      expect([Math.min(...x0) > 0, classLabels, keeps]).toEqual([true, undefined, {}]);
    }
  });
});

describe("the share of draws", () => {
  const ITERATIONS = 400;
  const shares = ((): Record<string, { hits: number; count: number }> => {
    const found: Record<string, { hits: number; count: number }> = {};
    const add = (name: string, values: readonly boolean[]): void => {
      const one = (found[name] ??= { hits: 0, count: 0 });
      one.hits += values.filter(Boolean).length;
      one.count += values.length;
    };
    const draws = drawsOf(configOf({ accumulate: 2 }));
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      draws.draw(iteration, undefined);
      const { x0 = [], classLabels = [], "keep.0": first = [], "keep.1": second = [] } = joined(draws.parts);
      add(
        "mirrored",
        x0.filter((_, i) => i % 2 === 0).map((x) => x < 0),
      );
      add(
        "untold",
        classLabels.map((label) => label === CLASSES.length),
      );
      add(
        "kept at rate 0.2",
        first.map((keep) => keep === 1),
      );
      add(
        "kept at rate 0.5",
        second.map((keep) => keep === 1),
      );
    }
    return found;
  })();

  /** Whether a share is within five standard errors of a rate. */
  function fits(name: string, rate: number): boolean {
    const { hits = 0, count = 1 } = shares[name] ?? {};
    return Math.abs(hits / count - rate) < 5 * Math.sqrt((rate * (1 - rate)) / count);
  }

  it.each([
    ["mirrored", 0.5],
    ["untold", 0.3],
    ["kept at rate 0.2", 0.8],
    ["kept at rate 0.5", 0.5],
  ])("%s is %d, and no other", (name, rate) => {
    expect(fits(name, rate)).toBe(true);
    expect([fits(name, rate + 0.05), fits(name, rate - 0.05)]).toEqual([false, false]);
  });

  it("is drawn for each mask and each sample on its own", () => {
    const { "keep.0": first = [], "keep.1": second = [] } = drawn(configOf({ batchSize: 240 }), 0);
    const rows = (mask: readonly number[], width: number): string[] =>
      Array.from({ length: 240 }, (_, row) => mask.slice(row * width, row * width + 8).join(""));
    // Eight bits that two samples, or two masks, shared by their address would agree everywhere.
    expect(new Set(rows(first, 15)).size).toBeGreaterThan(30);
    const agree = rows(first, 15).filter((row, i) => row === rows(second, 8)[i]).length;
    expect(agree).toBeLessThan(30);
  });
});
