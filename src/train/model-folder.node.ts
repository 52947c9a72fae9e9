import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { sameShape, type FloatTensor, type Shape, type Tensor } from "../tensor/tensor.ts";
import { denoiserParameters, type DenoiserConfig } from "./denoiser-spec.ts";
import type { DiffusionModel } from "./model.ts";

/** Files of a model folder, in the layout of diffusers' pipelines. */
const files = {
  index: "model_index.json",
  scheduler: "scheduler/scheduler_config.json",
  denoiser: "unet/config.json",
  weights: "unet/diffusion_pytorch_model.safetensors",
  standardiser: "standardiser/config.json",
} as const;

const extent = z.int().min(1);
const schedulerSchema = z.looseObject({
  _class_name: z.literal("DDPMScheduler"),
  num_train_timesteps: extent,
  beta_start: z.number().positive(),
  beta_end: z.number().positive(),
  beta_schedule: z.literal("linear"),
  prediction_type: z.literal("epsilon"),
});
const denoiserSchema = z.looseObject({
  _class_name: z.literal("MlpDenoiser"),
  dimensions: extent,
  timesteps: extent,
  width: extent,
  depth: extent,
  time_features: extent,
});
const standardiserSchema = z.looseObject({
  mean: z.array(z.number()),
  scale: z.array(z.number().positive()),
  columns: z.array(z.string()),
});

/**
 * Writes a model as a folder in the layout of diffusers' pipelines.
 * @throws UnnoiseError `io` when a file cannot be written
 */
export async function saveModel(folder: string, model: DiffusionModel): Promise<void> {
  const { denoiser, schedule, standardiser, columns } = model;
  const index = {
    _class_name: "DDPMPipeline",
    scheduler: ["diffusers", "DDPMScheduler"],
    unet: ["unnoise", denoiser.kind],
    standardiser: ["unnoise", "Standardiser"],
  };
  const scheduler = {
    _class_name: "DDPMScheduler",
    num_train_timesteps: schedule.timesteps,
    beta_start: schedule.betaStart,
    beta_end: schedule.betaEnd,
    beta_schedule: "linear",
    prediction_type: "epsilon",
    clip_sample: false,
  };
  const { dimensions, timesteps, width, depth, timeFeatures } = denoiser;
  const network = { _class_name: denoiser.kind, dimensions, timesteps, width, depth, time_features: timeFeatures };
  const write = async (name: string, content: Uint8Array | object): Promise<void> => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, content instanceof Uint8Array ? content : `${JSON.stringify(content, null, 2)}\n`);
  };
  await write(files.weights, encodeSafetensors(new Map<string, Tensor>(model.weights), { format: "unnoise" }));
  await write(files.denoiser, network);
  await write(files.scheduler, scheduler);
  await write(files.standardiser, { _class_name: "Standardiser", ...standardiser, columns });
  await write(files.index, index);
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await readFileBytes(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UnnoiseError(
      "run-folder",
      `${path}: not JSON (${(cause as Error).message}); restore the file or train again`,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UnnoiseError(
    "run-folder",
    `${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not understood"}`,
  );
}

/**
 * Reads a model folder.
 * @throws UnnoiseError `io` when a file is missing, `run-folder` or `format` when one is damaged or does not fit the others
 */
export async function loadModel(folder: string): Promise<DiffusionModel> {
  const scheduler = await readJson(join(folder, files.scheduler), schedulerSchema);
  const network = await readJson(join(folder, files.denoiser), denoiserSchema);
  const { mean, scale, columns } = await readJson(join(folder, files.standardiser), standardiserSchema);
  const { dimensions, timesteps, width, depth } = network;
  const denoiser = {
    kind: "MlpDenoiser",
    dimensions,
    timesteps,
    width,
    depth,
    timeFeatures: network.time_features,
  } as const;
  if (
    [mean, scale, columns].some((list) => list.length !== dimensions) ||
    scheduler.num_train_timesteps !== timesteps
  ) {
    throw new UnnoiseError(
      "run-folder",
      `${folder}: the configurations of network, scheduler and standardiser do not agree`,
    );
  }
  return {
    denoiser,
    schedule: { timesteps, betaStart: scheduler.beta_start, betaEnd: scheduler.beta_end },
    standardiser: { mean, scale },
    columns,
    weights: await loadWeights(join(folder, files.weights), denoiser),
  };
}

async function loadWeights(path: string, denoiser: DenoiserConfig): Promise<Map<string, FloatTensor>> {
  const { tensors } = decodeSafetensors(await readFileBytes(path), path);
  return new Map(
    denoiserParameters(denoiser).map(({ name, shape }) => [name, checkedWeight(tensors.get(name), name, shape, path)]),
  );
}

function checkedWeight(tensor: Tensor | undefined, name: string, shape: Shape, path: string): FloatTensor {
  const expected = `float32 [${shape.join(", ")}]`;
  if (tensor?.dtype !== "float32" || !sameShape(tensor.shape, shape)) {
    const got = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "nothing";
    throw new UnnoiseError("run-folder", `${path}: ${name}: expected ${expected}, got ${got}`);
  }
  const weight = tensor as FloatTensor;
  if (!weight.data.every(Number.isFinite))
    throw new UnnoiseError("run-folder", `${path}: ${name} holds NaN or infinity`);
  return weight;
}
