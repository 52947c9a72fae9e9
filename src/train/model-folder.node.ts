import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { scheduleFromConfig } from "../diffusion/schedules/schedule-config.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { codeOf, ioError } from "../formats/io-error.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { sameShape, type FloatTensor, type Shape, type Tensor } from "../tensor/tensor.ts";
import { denoiserParameters, type DenoiserConfig } from "./denoiser-spec.ts";
import { jsonText, readJson } from "./json-file.node.ts";
import type { DiffusionModel } from "./model.ts";
import { processOf, schedulerFile, schedulerSchema, type ProcessFacts } from "./scheduler-config.ts";

/** Files of a model folder, in the layout of diffusers' pipelines. */
const files = {
  index: "model_index.json",
  scheduler: "scheduler/scheduler_config.json",
  denoiser: "unet/config.json",
  weights: "unet/diffusion_pytorch_model.safetensors",
  standardiser: "standardiser/config.json",
} as const;

/** Paths that a model folder is made of, the index first. */
export const modelFiles: readonly string[] = Object.values(files);

const indexSchema = z.looseObject({
  _class_name: z.literal("DDPMPipeline"),
  scheduler: z.tuple([z.literal("diffusers"), z.literal("DDPMScheduler")]),
  unet: z.tuple([z.literal("unnoise"), z.literal("MlpDenoiser")]),
  standardiser: z.tuple([z.literal("unnoise"), z.literal("Standardiser")]),
});
const extent = z.int().min(1);
const denoiserSchema = z.looseObject({
  _class_name: z.literal("MlpDenoiser"),
  dimensions: extent,
  timesteps: extent,
  width: extent,
  depth: extent,
  time_features: extent,
  flip_sin_to_cos: z.boolean().default(false),
  freq_shift: z.number().min(0).max(1).default(1),
  learns_variance: z.boolean().default(false),
});
const standardiserSchema = z.looseObject({
  mean: z.array(z.number()),
  scale: z.array(z.number().positive()),
  columns: z.array(z.string()),
});

/**
 * Whether a folder holds a whole model: its index is written last.
 * @throws UnnoiseError `io` when that cannot be found out
 */
export async function hasModel(folder: string): Promise<boolean> {
  try {
    await stat(join(folder, files.index));
    return true;
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return false;
    throw ioError("read", folder, cause);
  }
}

/**
 * Writes a model as a folder in the layout of diffusers' pipelines; the index comes last, so that a folder with one is whole.
 * @throws UnnoiseError `io` when a file cannot be written
 */
export async function saveModel(folder: string, model: DiffusionModel): Promise<void> {
  const { denoiser, standardiser, columns } = model;
  const index = {
    _class_name: "DDPMPipeline",
    scheduler: ["diffusers", "DDPMScheduler"],
    unet: ["unnoise", denoiser.kind],
    standardiser: ["unnoise", "Standardiser"],
  };
  const write = async (name: string, content: Uint8Array | object): Promise<void> => {
    const path = join(folder, name);
    await writeFileAtomic(path, content instanceof Uint8Array ? content : jsonText(content));
  };
  await prepare(folder);
  await write(files.weights, encodeSafetensors(new Map<string, Tensor>(model.weights), { format: "unnoise" }));
  await write(files.denoiser, networkFile(denoiser));
  await write(files.scheduler, schedulerFile(model));
  await write(files.standardiser, { _class_name: "Standardiser", ...standardiser, columns });
  await write(files.index, index);
}

function networkFile({ kind, dimensions, timesteps, width, depth, ...rest }: DenoiserConfig): object {
  const { timeFeatures, flipSinToCos = false, freqShift = 1, learnsVariance = false } = rest;
  return {
    _class_name: kind,
    dimensions,
    timesteps,
    width,
    depth,
    time_features: timeFeatures,
    flip_sin_to_cos: flipSinToCos,
    freq_shift: freqShift,
    learns_variance: learnsVariance,
  };
}

/** Makes the folders, and takes away the index of an earlier model before its files are replaced one by one. */
async function prepare(folder: string): Promise<void> {
  try {
    await rm(join(folder, files.index), { force: true });
    for (const file of modelFiles) await mkdir(dirname(join(folder, file)), { recursive: true });
  } catch (cause) {
    throw ioError("create", folder, cause);
  }
}

/**
 * Reads a model folder.
 * @throws UnnoiseError `io` when a file is missing, `run-folder` or `format` when one is damaged or does not fit the others
 */
export async function loadModel(folder: string): Promise<DiffusionModel> {
  await readJson(join(folder, files.index), indexSchema);
  const scheduler = await readJson(join(folder, files.scheduler), schedulerSchema);
  const network = await readJson(join(folder, files.denoiser), denoiserSchema);
  const { mean, scale, columns } = await readJson(join(folder, files.standardiser), standardiserSchema);
  const denoiser = denoiserOf(network);
  const { dimensions, timesteps } = denoiser;
  const facts = processOf(scheduler);
  const sizes = [mean, scale, columns].every((list) => list.length === dimensions);
  const counts = [scheduler.num_train_timesteps, scheduler.trained_betas?.length ?? timesteps];
  if (!sizes || counts.some((count) => count !== timesteps) || isLearned(facts.variance) !== denoiser.learnsVariance) {
    throw new UnnoiseError(
      "run-folder",
      `${folder}: the configurations of network, scheduler and standardiser do not agree`,
    );
  }
  checkSchedule(facts, join(folder, files.scheduler));
  const weights = await loadWeights(join(folder, files.weights), denoiser);
  return { denoiser, ...facts, standardiser: { mean, scale }, columns, weights };
}

function denoiserOf(file: z.infer<typeof denoiserSchema>): DenoiserConfig {
  const { dimensions, timesteps, width, depth, time_features: timeFeatures } = file;
  const { flip_sin_to_cos: flipSinToCos, freq_shift: freqShift, learns_variance: learnsVariance } = file;
  const embedding = { timeFeatures, flipSinToCos, freqShift };
  return { kind: "MlpDenoiser", dimensions, timesteps, width, depth, ...embedding, learnsVariance };
}

/** Builds the schedule once, so that what is wrong with it is told where it stands. */
function checkSchedule({ schedule }: ProcessFacts, path: string): void {
  try {
    scheduleFromConfig(schedule);
  } catch (cause) {
    if (!(cause instanceof UnnoiseError)) throw cause;
    throw new UnnoiseError("run-folder", `${path}: ${cause.message}`, { cause });
  }
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
