import { shown } from "../../math/shown.ts";
import { z } from "zod";
import { isLearned } from "../../diffusion/objectives/bound-terms.ts";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { readSafetensors } from "../../formats/safetensors-file.node.ts";
import { readShardedSafetensors } from "../../formats/safetensors-shards.node.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import type { DenoiserConfig } from "../../nn/networks.ts";
import { presentAttention } from "../../nn/unet/attention-names.ts";
import { sameShape, type FloatTensor, type Shape, type Tensor } from "../../tensor/tensor.ts";
import { verifyChecksums } from "../checksums.node.ts";
import { classesOf, denoiserParameters, outputChannelsOf, parseDenoiser, sampleShapeOf } from "../denoiser-spec.ts";
import type { ImageModel } from "../model.ts";
import { processOf, schedulerSchema, type SchedulerFile } from "../scheduler-config.ts";
import { findDiffusersParts, readJsonObject, type DiffusersFolder, type PipelineName } from "./folder.node.ts";
import { samplingOf, type SchedulerSampling } from "./sampling.ts";
import { schedulerNames, type SchedulerName } from "./scheduler-classes.ts";

/** A model of diffusers: what any model of images is, and how its own files say that it is sampled. */
export interface DiffusersModel extends ImageModel {
  readonly pipeline: PipelineName;
  /** The scheduler's file as it was read, to be written again. */
  readonly scheduler: SchedulerFile;
}

const ownFacts = z.looseObject({ classes: z.array(z.string()).optional() });

export interface ImportOptions {
  /** Of the weights, such as fp16; the plain ones if absent, or the only ones. */
  readonly variant?: string;
  /** Stands for the scheduler's file; needed where the folder has none. */
  readonly scheduler?: SchedulerFile;
}

/**
 * Reads a model that diffusers wrote: a pipeline's folder, or a flat one.
 * @returns the model, images in [−1, 1]
 * @throws UnnoiseError `io` when a file cannot be read, `format` for a pipeline, network or file that unnoise cannot read, or
 * files that do not fit each other; each names the file, what was expected and found
 */
export async function importDiffusers(folder: string, options: ImportOptions = {}): Promise<DiffusersModel> {
  const parts = await findDiffusersParts(folder, options.variant);
  const denoiser = await readNetwork(parts.unetConfigPath);
  const scheduler = options.scheduler ?? (await readScheduler(parts));
  // Before the parts are compared, so that a damaged one is named.
  await verifyChecksums(folder);
  const facts = processOf(asSampled(parts.pipeline, scheduler));
  const where = parts.schedulerPath ?? "scheduler";
  asFormat(where, () => scheduleFromConfig(facts.schedule));
  if (facts.variance === "learned") throw freeVariance(where);
  checkChannels(denoiser, isLearned(facts.variance), parts);
  const weights = await readNetworkWeights(parts.weightsPath, denoiser);
  const classes = classNamesOf(parts, denoiser);
  return {
    kind: "images",
    denoiser,
    ...facts,
    ...(classes && { classes }),
    weights,
    pipeline: parts.pipeline,
    scheduler,
  };
}

/** Names of the classes that unnoise wrote into the index, which diffusers passes over. */
function classNamesOf({ index, folder }: DiffusersFolder, denoiser: DenoiserConfig): readonly string[] | undefined {
  const { classes } = ownFacts.safeParse(index?.["_unnoise"]).data ?? {};
  const rows = classesOf(denoiser);
  if (classes === undefined || rows === 0) return undefined;
  if (classes.length <= rows) return classes;
  const got = `names of ${classes.length} classes, the network has ${rows}`;
  throw new UnnoiseError("format", `${folder}/model_index.json: _unnoise: ${got}; take them out of the file`);
}

/**
 * How a model's own pipeline and scheduler sample it.
 * @throws UnnoiseError `usage` for what unnoise cannot do exactly, naming the key and its value
 */
export function samplingOfDiffusers({
  pipeline,
  scheduler,
}: Pick<DiffusersModel, "pipeline" | "scheduler">): SchedulerSampling {
  return samplingOf(asSampled(pipeline, scheduler));
}

/** DDIMPipeline makes a DDIMScheduler of any scheduler's values. */
function asSampled(pipeline: PipelineName, scheduler: SchedulerFile): SchedulerFile {
  return pipeline === "DDIMPipeline" ? { ...scheduler, _class_name: "DDIMScheduler" } : scheduler;
}

async function readNetwork(path: string): Promise<DenoiserConfig> {
  const file = await readJsonObject(path);
  const name = file["_class_name"] ?? "UNet2DModel";
  if (name !== "UNet2DModel") {
    const expected = "only UNet2DModel on pixels runs now, without classes or with";
    throw new UnnoiseError("format", `${path}: _class_name: ${shown(name)} is not supported: ${expected}`);
  }
  return asFormat(path, () => parseDenoiser({ ...file, _class_name: name }, path));
}

/** Runs with errors of use as errors of a file, which is named. */
function asFormat<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof UnnoiseError)) throw cause;
    const message = cause.message.startsWith(path) ? cause.message : `${path}: ${cause.message}`;
    throw new UnnoiseError("format", message, { cause });
  }
}

async function readScheduler({ schedulerPath: path, index, folder }: DiffusersFolder): Promise<SchedulerFile> {
  if (path === undefined) {
    const advice = 'write one, such as {"_class_name": "DDPMScheduler"}, whose values are diffusers\' usual ones';
    throw new UnnoiseError("format", `${folder}: no scheduler_config.json, so that the noise is unknown; ${advice}`);
  }
  const file = await readJsonObject(path);
  const name = classOf(index) ?? file["_class_name"];
  if (!isKnown(name)) {
    const known = schedulerNames.join(", ");
    throw new UnnoiseError("format", `${path}: _class_name: ${shown(name ?? null)} is not one of ${known}`);
  }
  const parsed = schedulerSchema.safeParse({ ...file, _class_name: name });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.path.join(".") ?? "";
  const got = shown(file[String(issue?.path[0])] ?? null);
  throw new UnnoiseError("format", `${path}: ${key}: ${issue?.message ?? "not understood"}, got ${got}`);
}

/** The scheduler's class in a pipeline's index, which decides in diffusers too. */
function classOf(index: DiffusersFolder["index"]): unknown {
  const part = index?.["scheduler"];
  return Array.isArray(part) ? part[1] : undefined;
}

function isKnown(name: unknown): name is SchedulerName {
  return schedulerNames.some((known) => known === name);
}

function freeVariance(path: string): UnnoiseError {
  const why = "diffusers takes such a network's second half for σ², unnoise for log σ²";
  return new UnnoiseError("format", `${path}: variance_type: "learned" is not supported: ${why}`);
}

function checkChannels(denoiser: DenoiserConfig, learned: boolean, { unetConfigPath: path }: DiffusersFolder): void {
  const expected = at(sampleShapeOf(denoiser), 0) * (learned ? 2 : 1);
  const got = outputChannelsOf(denoiser);
  if (got === expected) return;
  const variance = learned ? "with variance_type learned_range" : "without a learned variance";
  throw new UnnoiseError("format", `${path}: out_channels: expected ${expected} ${variance}, got ${got}`);
}

/** Weights under the names of today, float32. */
async function readNetworkWeights(path: string, denoiser: DenoiserConfig): Promise<Map<string, FloatTensor>> {
  const { tensors } = await (path.includes(".index.") ? readShardedSafetensors(path) : readSafetensors(path));
  const found = new Map<string, Tensor>();
  for (const [old, tensor] of tensors) {
    const { name, shape } = presentAttention({ name: old, shape: tensor.shape });
    found.set(name, { ...tensor, shape });
  }
  const parameters = denoiserParameters(denoiser);
  const weights = new Map(parameters.map(({ name, shape }) => [name, weightOf(found.get(name), name, shape, path)]));
  const extra = [...found.keys()].filter((name) => !weights.has(name));
  if (extra.length === 0) return weights;
  const more = extra.length > 1 ? ` and ${extra.length - 1} more` : "";
  throw new UnnoiseError("format", `${path}: ${extra[0] ?? ""}${more}: the network of config.json has no such weight`);
}

function weightOf(tensor: Tensor | undefined, name: string, shape: Shape, path: string): FloatTensor {
  if (tensor?.dtype !== "float32" || !sameShape(tensor.shape, shape)) {
    const got = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "nothing";
    throw new UnnoiseError("format", `${path}: ${name}: expected [${shape.join(", ")}] of floats, got ${got}`);
  }
  const weight = tensor as FloatTensor;
  if (!allFinite(weight.data)) throw new UnnoiseError("format", `${path}: ${name}: holds NaN or infinity`);
  return weight;
}

/** Finite exactly when every value is: float64 holds any sum of that many finite float32. */
function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] as number;
  return Number.isFinite(sum);
}
