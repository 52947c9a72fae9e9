import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf, ioError } from "../../formats/io-error.ts";
import { makeFolder } from "../../formats/make-folder.node.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { checkNotDangling, checkNotLinked } from "../../formats/link.node.ts";
import { sweepAbandoned, temporaryIn } from "../../formats/temporary.node.ts";
import { writeFileAtomic, writeNewFile, type WriteNewOptions } from "../../formats/write-file.node.ts";
import { UnnoiseError } from "../../math/error.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { CHECKSUMS, checksumsText, type NamedContent } from "../checksums.node.ts";
import { denoiserFile } from "../denoiser-spec.ts";
import type { ImageModel } from "../model.ts";
import { schedulerFile, schedulerValues, type SchedulerFile } from "../scheduler-config.ts";
import type { DiffusersModel } from "./import.node.ts";
import { onnxOf, type OnnxOptions } from "./onnx-model.ts";
import { pythonJsonText } from "./python-json.ts";

/** A model that can be written for others: one of images, with the files that it was read from where it was. */
export type ExportedModel = ImageModel & Partial<Pick<DiffusersModel, "pipeline" | "scheduler">>;

/** The release of diffusers whose files these are. */
const VERSION = "0.42.1";

const files = {
  weights: "unet/diffusion_pytorch_model.safetensors",
  network: "unet/config.json",
  scheduler: "scheduler/scheduler_config.json",
  index: "model_index.json",
} as const;

/**
 * Writes a model as a folder that diffusers loads with `DDPMPipeline.from_pretrained`, or the pipeline that it came from. The
 * scheduler's file that the model was read from is written again as it was.
 * @param folder is made; a new one appears when it is whole
 * @throws UnnoiseError `usage` for a network or prediction that diffusers does not have, `io` when a file cannot be written, or the
 * folder has files and `overwrite` is false
 */
export async function exportDiffusers(model: ExportedModel, folder: string, options: WriteNewOptions): Promise<void> {
  const contents = contentsOf(model);
  await checkNotDangling(folder);
  const present = await namesIn(folder);
  if (present.length === 0) return writeWhole(folder, contents);
  if (!options.overwrite) {
    throw new UnnoiseError(
      "io",
      `cannot write ${folder}: it has files already; choose another name or allow overwriting`,
    );
  }
  if (!present.includes(files.index)) {
    throw new UnnoiseError("io", `cannot write ${folder}: its files are no model of diffusers; choose another name`);
  }
  await checkNotLinked(folder);
  await attempt(folder, () => rm(join(folder, files.index)));
  await attempt(folder, () => rm(join(folder, CHECKSUMS), { force: true }));
  await writeFiles(folder, contents);
}

type Contents = readonly NamedContent[];

/** The files, their checksums and the index last, so that a folder with one is whole. */
function contentsOf(model: ExportedModel): Contents {
  const { denoiser, weights, pipeline = "DDPMPipeline", classes } = model;
  if (denoiser.kind !== "UNet2DModel") {
    const advice = "export it as onnx or safetensors";
    throw new UnnoiseError("usage", `export: diffusers has no network ${denoiser.kind}, only UNet2DModel; ${advice}`);
  }
  const { _class_name: network, ...config } = denoiserFile(denoiser);
  const scheduler = exportedScheduler(model);
  const index = pythonJsonText({
    _class_name: pipeline,
    _diffusers_version: VERSION,
    scheduler: ["diffusers", scheduler._class_name],
    unet: ["diffusers", network],
    _unnoise: { kind: "images", ...(classes && { classes }) },
  });
  const contents: Contents = [
    [files.weights, encodeSafetensors(new Map<string, Tensor>(weights), { format: "pt" })],
    [files.network, pythonJsonText({ _class_name: network, _diffusers_version: VERSION, ...config })],
    [files.scheduler, pythonJsonText(scheduler)],
    [files.index, index],
  ];
  return [...contents.slice(0, -1), [CHECKSUMS, checksumsText(contents)], ...contents.slice(-1)];
}

function exportedScheduler(model: ExportedModel): SchedulerFile {
  const file = schedulerFile(model, model.scheduler);
  const { prediction_type: predicts, variance_type: variance } = schedulerValues(file);
  const advice = "export it as onnx or safetensors";
  if (predicts === "mean" || predicts === "score") {
    throw new UnnoiseError("usage", `export: diffusers has no networks that predict the ${predicts}; ${advice}`);
  }
  if (variance === "learned") {
    const why = "diffusers takes such a network's second half for σ², unnoise for log σ²";
    throw new UnnoiseError("usage", `export: variance learned: ${why}; ${advice}`);
  }
  return file === model.scheduler ? file : { ...file, _diffusers_version: file["_diffusers_version"] ?? VERSION };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return [];
    throw ioError("write", folder, cause);
  }
}

async function attempt(path: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    throw ioError("write", path, cause, `the folder ${dirname(path)} does not exist`);
  }
}

/** Writes all files into a folder beside, which then takes the name. */
async function writeWhole(folder: string, contents: Contents): Promise<void> {
  const temporary = temporaryIn(dirname(folder));
  await sweepAbandoned(dirname(folder));
  try {
    await attempt(folder, () => mkdir(temporary));
    await writeFiles(temporary, contents);
    await attempt(folder, () => rename(temporary, folder));
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw cause;
  }
}

async function writeFiles(folder: string, contents: Contents): Promise<void> {
  for (const [name, content] of contents) {
    const path = join(folder, name);
    await makeFolder(dirname(path));
    await writeFileAtomic(path, content);
  }
}

/**
 * Writes a model's weights as one safetensors file, under the network's own names. Its metadata has the configuration of the
 * network (`denoiser`) and the scheduler's file (`scheduler`) as JSON.
 * @throws UnnoiseError `io` when it cannot be written, or exists and `overwrite` is false
 */
export async function exportSafetensors(model: ExportedModel, path: string, options: WriteNewOptions): Promise<void> {
  const metadata = { format: "pt", ...factsOf(model) };
  await writeNewFile(path, encodeSafetensors(new Map<string, Tensor>(model.weights), metadata), options);
}

/**
 * Writes a model's network as an ONNX file (opset 21) with its weights: inputs `sample` [B, C, H, W] in [−1, 1], `timestep` [1]
 * int32 and, where the network takes classes, `class_labels` [B] int32; output `out_sample`, what the network predicts. Its metadata
 * has the configuration of the network (`denoiser`) and the scheduler's file (`scheduler`) as JSON.
 * @throws UnnoiseError `io` when it cannot be written, or exists and `overwrite` is false; `usage` for a batch that is no integer ≥ 1
 */
export async function exportOnnx(
  model: ExportedModel,
  path: string,
  { overwrite, ...options }: WriteNewOptions & OnnxOptions,
): Promise<void> {
  const name = basename(path);
  if (!name.endsWith(".onnx")) throw new UnnoiseError("usage", `export: expected a file ending in .onnx, got ${name}`);
  await writeNewFile(path, onnxOf(model, factsOf(model), options), { overwrite });
}

function factsOf(model: ExportedModel): Record<string, string> {
  return {
    denoiser: JSON.stringify(denoiserFile(model.denoiser)),
    scheduler: pythonJsonText(schedulerFile(model, model.scheduler)).trimEnd(),
    ...(model.classes && { classes: JSON.stringify(model.classes) }),
  };
}
