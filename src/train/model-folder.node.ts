import { rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { scheduleFromConfig } from "../diffusion/schedules/schedule-config.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { codeOf, ioError } from "../formats/io-error.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { CHECKSUMS, checksumsText, verifyChecksums, type NamedContent } from "./checksums.node.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { sameShape, type FloatTensor, type Shape, type Tensor } from "../tensor/tensor.ts";
import { denoiserFile, denoiserParameters, outputChannelsOf, parseDenoiser, sampleShapeOf } from "./denoiser-spec.ts";
import { jsonText, readJson } from "./json-file.node.ts";
import type { AnyModel, PointModel } from "./model.ts";
import { processOf, schedulerFile, schedulerSchema, type ProcessFacts } from "./scheduler-config.ts";

/** Files of a model folder, in the layout of diffusers' pipelines. */
const files = {
  index: "model_index.json",
  checksums: CHECKSUMS,
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
  unet: z.tuple([z.enum(["unnoise", "diffusers"]), z.string()]),
  _unnoise: z.looseObject({ kind: z.literal("images"), classes: z.array(z.string()).optional() }).optional(),
});
/** A model of points has no range to limit x̂_0 to. */
const unlimitedSchema = schedulerSchema.and(
  // Where the key is absent, diffusers clips.
  z.looseObject({ clip_sample: z.literal(false), thresholding: z.literal(false).optional() }),
);
const standardiserSchema = z.looseObject({
  mean: z.array(z.number()),
  scale: z.array(z.number().positive()),
  constant: z.array(z.int().min(0)).optional(),
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
 * Writes a model as a folder in the layout of diffusers' pipelines, which diffusers loads where it has the network; the index comes
 * last, so that a folder with one is whole, and before it the checksums of all.
 * @throws UnnoiseError `io` when a file cannot be written
 */
export async function saveModel(model: AnyModel, folder: string): Promise<void> {
  const contents: NamedContent[] = [
    [files.weights, encodeSafetensors(new Map<string, Tensor>(model.weights), { format: "pt" })],
    [files.denoiser, jsonText(denoiserFile(model.denoiser))],
    [files.scheduler, jsonText(schedulerFile(model))],
  ];
  if (model.kind === "points") contents.push([files.standardiser, jsonText(standardiserFile(model))]);
  const index: NamedContent = [files.index, jsonText(indexFile(model))];
  const sums: NamedContent = [files.checksums, checksumsText([...contents, index])];
  await prepare(folder, model);
  for (const [name, content] of [...contents, sums, index]) await writeFileAtomic(join(folder, name), content);
}

function indexFile(model: AnyModel): object {
  const { kind } = model.denoiser;
  const parts = {
    _class_name: "DDPMPipeline",
    scheduler: ["diffusers", "DDPMScheduler"],
    unet: [kind === "UNet2DModel" ? "diffusers" : "unnoise", kind],
  };
  if (model.kind === "points") return { ...parts, standardiser: ["unnoise", "Standardiser"] };
  // diffusers passes over keys with an underscore.
  return { ...parts, _unnoise: { kind: model.kind, ...(model.classes && { classes: model.classes }) } };
}

function standardiserFile({ standardiser, columns }: PointModel): object {
  return { _class_name: "Standardiser", ...standardiser, columns };
}

/** Makes the folders, and takes away the index of an earlier model and its checksums before its files are replaced one by one. */
async function prepare(folder: string, { kind }: AnyModel): Promise<void> {
  const written = modelFiles.filter((file) => kind === "points" || file !== files.standardiser);
  try {
    for (const file of [files.index, files.checksums]) await rm(join(folder, file), { force: true });
    for (const file of written) await makeFolder(dirname(join(folder, file)));
  } catch (cause) {
    throw ioError("create", folder, cause);
  }
}

/**
 * Reads a model folder.
 * @throws UnnoiseError `io` when a file is missing, `run-folder` or `format` when one is damaged or does not fit the others
 */
export async function loadModel(folder: string): Promise<AnyModel> {
  const { _unnoise: images } = await readJson(join(folder, files.index), indexSchema);
  const scheduler = await readJson(join(folder, files.scheduler), images ? schedulerSchema : unlimitedSchema);
  const facts = processOf(scheduler);
  const denoiser = await readDenoiser(join(folder, files.denoiser));
  const kept = images ? undefined : await readJson(join(folder, files.standardiser), standardiserSchema);
  const { standardiser, checksums: _, ...parts } = files;
  // Before the parts are compared: a damaged one that reads well is named, not called one that does not fit.
  await verifyChecksums(folder, [...Object.values(parts), ...(kept ? [standardiser] : [])]);
  const channels = at(sampleShapeOf(denoiser), 0) * (isLearned(facts.variance) ? 2 : 1);
  if (channels !== outputChannelsOf(denoiser)) throw disagreement(folder);
  const points = kept && pointFacts(kept, folder, denoiser, scheduler);
  checkSchedule(facts, join(folder, files.scheduler));
  const weights = await loadWeights(join(folder, files.weights), denoiser);
  const model = { denoiser, ...facts, weights };
  if (points) return { kind: "points", ...model, ...points };
  return { kind: "images", ...model, ...(images?.classes && { classes: images.classes }) };
}

async function readDenoiser(path: string): Promise<DenoiserConfig> {
  const file = await readJson(path, z.record(z.string(), z.unknown()));
  try {
    return parseDenoiser(file, path);
  } catch (cause) {
    throw new UnnoiseError("run-folder", (cause as Error).message, { cause });
  }
}

/** What only a model of points has. */
function pointFacts(
  { mean, scale, constant, columns }: z.infer<typeof standardiserSchema>,
  folder: string,
  denoiser: DenoiserConfig,
  scheduler: z.infer<typeof schedulerSchema>,
): Pick<PointModel, "standardiser" | "columns"> {
  if (denoiser.kind !== "MlpDenoiser") throw disagreement(folder);
  const { dimensions, timesteps } = denoiser;
  const sizes = [mean, scale, columns].every((list) => list.length === dimensions);
  const counts = [scheduler.num_train_timesteps, scheduler.trained_betas?.length ?? timesteps];
  const isInside = (constant ?? []).every((column) => column < dimensions);
  if (!sizes || !isInside || counts.some((count) => count !== timesteps)) throw disagreement(folder);
  return { standardiser: { mean, scale, ...(constant && { constant }) }, columns };
}

function disagreement(folder: string): UnnoiseError {
  const parts = "network, scheduler and standardiser";
  return new UnnoiseError("run-folder", `${folder}: the configurations of ${parts} do not agree`);
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
