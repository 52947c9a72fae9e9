import { describe, expect, it, test } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import { machineMemory, type MemoryProbe } from "../formats/machine-memory.node.ts";
import { checkMemory, trainingMemory, type TrainingMemory } from "./memory.ts";
import type { StateVectors } from "./step-engine.ts";
import { Trainer } from "./trainer.ts";
import type { TrainingData } from "./training-data.ts";

const dataOf = (count: number, side: number): TrainingData => ({
  kind: "images",
  count,
  sampleShape: [1, side, side],
  gather: (rows, out) => rows.forEach((row, i) => out.fill(Math.sin(row + 1), i * side ** 2, (i + 1) * side ** 2)),
});
const small = { device: "cpu", threads: 1, warmup: 2, iterations: 10, data: "images", kind: "images" } as const;
const configOf = (options: Partial<TrainingConfig>): TrainingConfig => parseTrainingConfig({ ...small, ...options });

const unet = {
  _class_name: "UNet2DModel",
  sample_size: 16,
  in_channels: 1,
  out_channels: 1,
  block_out_channels: [8, 16],
  layers_per_block: 1,
  norm_num_groups: 4,
  attention_head_dim: 8,
  down_block_types: ["DownBlock2D", "AttnDownBlock2D"],
  up_block_types: ["AttnUpBlock2D", "UpBlock2D"],
  dropout: 0.1,
};
const convnext = {
  _class_name: "ConvNextUNet",
  sample_size: 16,
  in_channels: 1,
  out_channels: 1,
  block_out_channels: [8, 16],
  layers_per_block: 2,
};
const dit = {
  _class_name: "DiT",
  sample_size: 16,
  in_channels: 1,
  out_channels: 1,
  patch_size: 4,
  hidden_size: 16,
  depth: 4,
  num_heads: 2,
};
const networks = { "a U-Net": unet, "a ConvNeXt U-Net": convnext, "a transformer": dit };

interface Trained extends StateVectors {
  readonly activations: number;
}

const gapOf = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));

describe("recompute", () => {
  test.each(Object.entries(networks))("of %s needs less memory and trains the same", async (_, network) => {
    const trained: Trained[] = [];
    for (const recompute of [false, true]) {
      const config = configOf({ network, recompute, batchSize: 4, accumulate: 2 });
      const data = dataOf(10, 16);
      const trainer = await Trainer.create({ config, data });
      for (let i = 0; i < 3; i++) await trainer.step();
      trained.push({ ...trainer.state.vectors, activations: trainingMemory(config, data).activations });
      await trainer.dispose();
    }
    const [plain, again] = trained as [Trained, Trained];
    expect(again.activations).toBeLessThan(0.8 * plain.activations);
    // ONNX Runtime fuses some operators of a transformer in one graph and not in the other, which rounds otherwise.
    if (network === dit) expect(gapOf(again.square, plain.square) / Math.max(...plain.square)).toBeLessThan(1e-5);
    else expect([again.weights, again.square]).toEqual([plain.weights, plain.square]);
  });
});

describe("the estimate", () => {
  const data = dataOf(1000, 16);
  const of = (options: Partial<TrainingConfig>, images = data): TrainingMemory =>
    trainingMemory(configOf({ network: unet, batchSize: 16, ...options }), images);
  const usual = of({});

  it("adds up", () => {
    const { total, ...parts } = usual;
    expect(total).toBe(Object.values(parts).reduce((sum, bytes) => sum + bytes, 0));
    const { measures, ...always } = parts;
    expect(Object.values(always).every((bytes) => bytes > 0)).toBe(true);
    expect(measures).toBe(0);
  });

  it("counts activations by the rows that go through at once", () => {
    expect(of({ batchSize: 32, accumulate: 2 }).activations).toBe(usual.activations);
    const slope = of({ batchSize: 32 }).activations - usual.activations;
    const ratio = (of({ batchSize: 64 }).activations - of({ batchSize: 32 }).activations) / (2 * slope);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
    expect(slope).toBeGreaterThan(0.8 * usual.activations);
  });

  it("counts a vector of weights for each average, and one for the parts of a batch", () => {
    const vector = of({ moreEmaDecays: [0.5] }).weights - usual.weights;
    expect(of({ moreEmaDecays: [0.5, 0.9] }).weights - usual.weights).toBe(2 * vector);
    expect(of({ accumulate: 2 }).weights - usual.weights).toBe(vector);
    expect(usual.weights).toBe(5 * vector);
    expect(usual.checkpoint).toBe(8 * vector);
  });

  it("counts the sessions of grids and bounds", () => {
    const [grid, bound] = [of({ sampleEvery: 5 }), of({ boundEvery: 5 })];
    expect(grid.measures).toBeGreaterThan(4 * (grid.weights / 5));
    expect(bound.measures).toBeGreaterThan(1.5 * grid.measures);
    expect(of({ sampleEvery: 5, boundEvery: 5 })).toEqual(bound);
  });

  it("counts a byte for each pixel, up to what is held in memory", () => {
    expect(usual.data).toBe(1000 * 256);
    expect(of({}, dataOf(1e9, 16)).data).toBe(256e6);
  });
});

describe("training that does not fit", () => {
  const needed: TrainingMemory = {
    ...{
      weights: 1e9,
      activations: 4e9,
      runtime: 1e9,
      checkpoint: 1e9,
      measures: 0,
      data: 1e8,
      program: 1e8,
      total: 7.2e9,
    },
  };
  const refusal = (available: number, options: Partial<TrainingConfig> = {}): string => {
    try {
      checkMemory(needed, { available, total: 8e9 }, configOf({ batchSize: 64, ...options }));
      return "";
    } catch (error) {
      expect(error).toBeInstanceOf(UnnoiseError);
      return (error as UnnoiseError).message;
    }
  };

  it("is refused with advice, in one line", () => {
    expect(refusal(4e9)).toBe(
      "training needs about 7.2 GB of memory, 4.0 GB of it for activations, and 4.0 GB are available; " +
        "choose a batchSize below 64 or accumulate above 1 or recompute",
    );
    expect(refusal(4e9, { recompute: true, accumulate: 64 })).toMatch(/choose a batchSize below 64$/);
  });

  it("is what needs more than there is, and no less", () => {
    expect(refusal(7.2e9)).toBe("");
    expect(refusal(7.2e9 - 1)).not.toBe("");
  });
});

describe("the memory of a machine", () => {
  const probe: MemoryProbe = { total: 16e9, free: 1e9, reclaimable: 9e9, limit: undefined, resident: 1e8 };

  it.each<[string, Partial<MemoryProbe>, number, number]>([
    ["counts what caches give back", {}, 9.1e9, 16e9],
    ["is what is free where nothing tells of caches", { reclaimable: undefined }, 1.1e9, 16e9],
    ["is that of its container", { limit: 2e9 }, 2e9, 2e9],
    ["is that of the machine in a wide container", { limit: 12e9 }, 9.1e9, 12e9],
  ])("%s", (_, changes, available, total) => {
    expect(machineMemory({ ...probe, ...changes })).toEqual({ available, total });
  });

  it("is found here", () => {
    const { available, total } = machineMemory();
    expect(available).toBeGreaterThan(process.memoryUsage.rss() / 2);
    expect(total).toBeGreaterThanOrEqual(available / 2);
  });
});
