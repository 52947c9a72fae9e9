import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scheduleConfig } from "../../diffusion/schedules/schedule-config.ts";
import { readSafetensors } from "../../formats/safetensors-file.node.ts";
import { denoiserParameters, parseDenoiser } from "../denoiser-spec.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../../tensor/tensor.ts";
import { DenoiserSession, namedWeights, type ImageModel } from "../model.ts";
import { Random } from "../../math/random.ts";
import { networkPreset } from "../../nn/network-presets.ts";
import type { DenoiserConfig } from "../../nn/networks.ts";
import { initialise } from "../../nn/parameters.ts";
import { exportDiffusers, exportOnnx, exportSafetensors } from "./export.node.ts";
import { importDiffusers, type DiffusersModel } from "./import.node.ts";
import { parsePythonJson } from "./python-json.ts";

const golden = fileURLToPath(new URL("../../../test/golden/pipelines/ddpm", import.meta.url));
const once = { overwrite: false };
let base: string;
let model: DiffusersModel;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "unnoise-"));
  model = await importDiffusers(golden);
});
afterAll(() => rm(base, { recursive: true }));

const file = async (...names: string[]): Promise<unknown> =>
  parsePythonJson(await readFile(join(...names), "utf8"), "file");

describe("export to diffusers", () => {
  it("writes what was imported, value for value", async () => {
    const folder = join(base, "same");
    await exportDiffusers(model, folder, once);
    for (const name of ["unet/config.json", "scheduler/scheduler_config.json"]) {
      expect(await file(folder, name)).toEqual(await file(golden, name));
    }
    expect(await file(folder, "model_index.json")).toMatchObject((await file(golden, "model_index.json")) as object);
    expect(await importDiffusers(folder)).toEqual(model);
    expect((await readdir(base)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("keeps a solver's own values, infinite ones too", async () => {
    const scheduler = {
      _class_name: "DPMSolverMultistepScheduler" as const,
      lambda_min_clipped: -Infinity,
      solver_order: 1,
    };
    const folder = join(base, "solver");
    await exportDiffusers({ ...model, variance: "small", scheduler, firstLogVariance: "clamp" }, folder, once);
    expect(await readFile(join(folder, "scheduler/scheduler_config.json"), "utf8")).toContain(": -Infinity");
    expect((await importDiffusers(folder)).scheduler).toEqual(scheduler);
  });

  it("writes a model of its own that comes back the same", async () => {
    const { pipeline: _pipeline, scheduler: _scheduler, ...bare } = model;
    const own: ImageModel = {
      ...bare,
      prediction: "v",
      schedule: scheduleConfig("cosine", { timesteps: 200 }),
      firstLogVariance: "second",
    };
    const folder = join(base, "own");
    await exportDiffusers(own, folder, once);
    const { scheduler, pipeline, ...back } = await importDiffusers(folder);
    expect(back).toEqual(own);
    expect(pipeline).toBe("DDPMPipeline");
    expect(scheduler).toMatchObject({
      clip_sample: true,
      beta_schedule: "squaredcos_cap_v2",
      prediction_type: "v_prediction",
    });
  });

  it("keeps the names of classes, so that what comes after them stands for no class", async () => {
    const denoiser = networkPreset("unet-tiny", { sampleSize: 8, channels: 1, outputs: 1, classes: 3 });
    const weights = namedWeights(initialise(denoiserParameters(denoiser), new Random(0, "init")), denoiser);
    const own: ImageModel = { ...model, denoiser, weights, classes: ["cat", "dog"] };
    const folder = join(base, "classes");
    await exportDiffusers(own, folder, once);
    const back = await importDiffusers(folder);
    expect(back.classes).toEqual(["cat", "dog"]);
    const session = new DenoiserSession(back, { device: "cpu", threads: 1 });
    const x = floatTensor(new Float32Array(64).fill(0.3), [1, 1, 8, 8]);
    expect(await session.predict(x, 5)).toEqual(await session.conditioned({ labels: Int32Array.of(2) })(x, 5));
    await session.dispose();
    await exportDiffusers({ ...own, classes: ["cat", "dog", "owl", "yak"] }, folder, { overwrite: true });
    await expect(importDiffusers(folder)).rejects.toThrow(
      /model_index\.json: _unnoise: names of 4 classes, the network has 3/,
    );
  });

  it("never writes over files unasked, nor over what is no model", async () => {
    const folder = join(base, "kept");
    await mkdir(folder);
    await exportDiffusers(model, folder, once);
    await expect(exportDiffusers(model, folder, once)).rejects.toThrow(
      /has files already; choose another name or allow/,
    );
    await writeFile(join(folder, "notes.txt"), "mine");
    await exportDiffusers({ ...model, prediction: "x0" }, folder, { overwrite: true });
    expect((await importDiffusers(folder)).prediction).toBe("x0");
    expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("mine");
    await rm(join(folder, "model_index.json"));
    await expect(exportDiffusers(model, folder, { overwrite: true })).rejects.toThrow(
      /its files are no model of diffusers/,
    );
    await expect(exportDiffusers(model, join(base, "no", "where"), once)).rejects.toThrow(/folder .*no does not exist/);
  });

  it.each([
    "model_index.json",
    "unet/config.json",
    "scheduler/scheduler_config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "checksums.json",
  ])("writes a checksum of every byte of %s", async (name) => {
    const folder = join(base, `sums of ${basename(name)}`);
    await exportDiffusers(model, folder, once);
    const intact = await readFile(join(folder, name));
    for (let i = 0; i < 20; i++) {
      const place = Math.floor(((i + 0.5) / 20) * intact.length);
      await writeFile(
        join(folder, name),
        intact.map((byte, at) => (at === place ? byte ^ (1 << (i % 8)) : byte)),
      );
      await expect(importDiffusers(folder)).rejects.toThrow(name === "checksums.json" ? /checksums\.json/ : name);
    }
    await writeFile(join(folder, name), intact);
    expect(await importDiffusers(folder)).toEqual(model);
  });

  it("refuses what diffusers does not have", async () => {
    const act = (change: Partial<ImageModel>): Promise<void> =>
      exportDiffusers({ ...model, ...change }, join(base, "x"), once);
    await expect(act({ prediction: "score" })).rejects.toThrow(/networks that predict the score; export it as onnx/);
    await expect(act({ variance: "learned" })).rejects.toThrow(/variance learned: /);
    const mlp = {
      kind: "MlpDenoiser",
      dimensions: 2,
      timesteps: 10,
      width: 4,
      depth: 1,
      timeFeatures: 4,
    } as unknown as DenoiserConfig;
    await expect(act({ denoiser: mlp })).rejects.toThrow(/diffusers has no network MlpDenoiser/);
    expect(await readdir(base)).not.toContain("x");
  });
});

describe("export of single files", () => {
  it("safetensors: the weights, and what they belong to", async () => {
    const path = join(base, "model.safetensors");
    await exportSafetensors(model, path, once);
    const { tensors, metadata } = await readSafetensors(path);
    expect(new Map([...tensors].sort())).toEqual(new Map([...model.weights].sort()));
    expect(JSON.parse(metadata["denoiser"] ?? "")).toMatchObject({ _class_name: "UNet2DModel", norm_num_groups: 4 });
    expect(JSON.parse(metadata["scheduler"] ?? "")).toEqual(model.scheduler);
    await expect(exportSafetensors(model, path, once)).rejects.toThrow(/already exists/);
  });

  it("onnx: the same outputs as the model's own session", async () => {
    const path = join(base, "model.onnx");
    await exportOnnx(model, path, { ...once, batch: 2 });
    const x = Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => Math.sin(i));
    const session = await InferenceSession.create(path);
    expect(session.inputNames).toEqual(["sample", "timestep"]);
    const feeds = {
      sample: new Tensor("float32", x, [2, 3, 8, 8]),
      timestep: new Tensor("int32", Int32Array.of(321), [1]),
    };
    const { out_sample: said } = await session.run(feeds);
    const own = new DenoiserSession(model, { threads: 1 });
    const expected = (await own.predict(floatTensor(x, [2, 3, 8, 8]), 321)) as FloatTensor;
    await own.dispose();
    const gaps = Array.from(expected.data, (value, i) => Math.abs(value - Number(said?.data[i])));
    expect(Math.max(...gaps)).toBeLessThan(1e-4);
    expect(Math.max(...expected.data)).toBeGreaterThan(0.5);
    await expect(exportOnnx(model, join(base, "model.bin"), once)).rejects.toThrow(/expected a file ending in .onnx/);
    await expect(exportOnnx(model, join(base, "m.onnx"), { ...once, batch: 0 })).rejects.toThrow(/batch: expected/);
  });
});

/** `google/ddpm-cifar10-32`. */
const cifar10 = {
  _class_name: "UNet2DModel",
  sample_size: 32,
  block_out_channels: [128, 256, 256, 256],
  down_block_types: ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
  up_block_types: ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
  layers_per_block: 2,
  norm_eps: 1e-6,
  freq_shift: 1,
  flip_sin_to_cos: false,
  downsample_padding: 0,
  attention_head_dim: null,
};

it("a network of 35.7 million weights goes out and comes in", async () => {
  const denoiser = parseDenoiser(cifar10, "config");
  const parameters = denoiserParameters(denoiser);
  const values = Float32Array.from({ length: 4_000_000 }, (_, i) => (i % 1009) * 1e-5);
  const weights = new Map(
    parameters.map(({ name, shape }, k) => [name, floatTensor(values.slice(k, k + sizeOf(shape)), shape)]),
  );
  const folder = join(base, "cifar10");
  await exportDiffusers({ ...model, denoiser, weights }, folder, once);
  const before = performance.now();
  const back = await importDiffusers(folder);
  const seconds = (performance.now() - before) / 1000;
  expect([...back.weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(35_746_307);
  const [name] = [...weights.keys()].slice(-2);
  expect(back.weights.get(name ?? "")).toEqual(weights.get(name ?? ""));
  expect(seconds).toBeLessThan(30);
});
