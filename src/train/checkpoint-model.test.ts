import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { modelOfCheckpoint } from "./checkpoint-model.node.ts";
import { loadCheckpoint, type Checkpoint } from "./checkpoint.node.ts";
import { parseTrainingConfig } from "./config.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import { scheduleOf, type AnyModel } from "./model.ts";
import { parameterCount } from "../nn/parameters.ts";
import { RunFolder } from "./run-folder.node.ts";
import { trainRun } from "./train-run.node.ts";
import { trainedParameters } from "./training-loss.ts";

let path: string;
let folder: RunFolder;
let model: AnyModel;
let checkpoint: Checkpoint;

const config = parseTrainingConfig({
  data: "moons",
  ...{ dataSize: 64, iterations: 12, batchSize: 16, timesteps: 12, width: 8, depth: 1, warmup: 2 },
  ...{ schedule: "learned", emaDecay: 0.9, moreEmaDecays: [0.5, 0.2], device: "cpu", threads: 1 },
});

beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), "unnoise-weights-"));
  await trainRun({ config, out: join(path, "run") });
  folder = new RunFolder(join(path, "run"));
  model = await folder.model();
  const size = parameterCount(trainedParameters(config, model.denoiser));
  const read = await loadCheckpoint(folder.checkpointsPath, size, config);
  if (!read) throw new Error("the run has no checkpoint");
  checkpoint = read;
});
afterAll(() => rm(path, { recursive: true, force: true }));

/** All weights of a model, one after the other. */
const flat = ({ weights, denoiser }: AnyModel): number[] =>
  denoiserParameters(denoiser).flatMap(({ name }) => [...(weights.get(name)?.data ?? [])]);

describe("the model of a checkpoint", () => {
  it("has the weights that are asked for", async () => {
    const { vectors, averages = [] } = checkpoint.state;
    const wanted = new Map<"raw" | number, Float32Array>([
      ["raw", vectors.weights],
      [0.9, vectors.ema],
      [0.5, at(averages, 0)],
      [0.2, at(averages, 1)],
    ]);
    for (const [choice, vector] of wanted) {
      const got = flat(await modelOfCheckpoint(folder, model, choice));
      expect(got).toEqual([...vector.slice(0, got.length)]);
    }
    expect(new Set([...wanted.values()].map((vector) => vector[0])).size).toBe(4);
    expect(await modelOfCheckpoint(folder, model, "ema")).toBe(model);
  });

  it("has the schedule that these weights learned", async () => {
    const betas = async (choice: "ema" | "raw" | number): Promise<Float64Array> =>
      scheduleOf(await modelOfCheckpoint(folder, model, choice)).betas;
    const [own, ema, raw] = [await betas("ema"), await betas(0.9), await betas("raw")];
    own.forEach((beta, i) => expect(at(ema, i)).toBeCloseTo(beta, 12));
    expect(Math.max(...own.map((beta, i) => Math.abs(beta - at(raw, i))))).toBeGreaterThan(1e-6);
  });

  it("is refused for an average that is not kept, or without a checkpoint", async () => {
    await expect(modelOfCheckpoint(folder, model, 0.95)).rejects.toThrow(
      "keeps no average with decay 0.95; expected ema, raw or one of 0.9, 0.5, 0.2",
    );
    await rm(folder.checkpointsPath, { recursive: true });
    await expect(modelOfCheckpoint(folder, model, "raw")).rejects.toThrow(
      "has no checkpoint; use the weights of its model, ema",
    );
  });
});
