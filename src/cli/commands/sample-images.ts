import { basename } from "node:path";
import { encodeNpy } from "../../formats/npy.ts";
import { imageGrid, type GridOptions } from "../../formats/pixels.ts";
import { encodePng } from "../../formats/png.ts";
import { UnnoiseError } from "../../math/error.ts";
import { counted, duration } from "../../math/text.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { modelOfCheckpoint } from "../../train/checkpoint-model.node.ts";
import { sampleShapeOf } from "../../train/denoiser-spec.ts";
import { importDiffusers, samplingOfDiffusers } from "../../train/diffusers/import.node.ts";
import { openAnyRun } from "../../train/open-run.node.ts";
import { sampleImages } from "../../train/sample-images.ts";
import { checkImageCount } from "../image-memory.ts";
import { chooseImageSampler, type ImageSamplerChoice, type OpenImageModel } from "../image-choice.ts";
import { checkImageFlags } from "../image-flags.ts";
import { FrameRecorder, gridOptions } from "../image-frames.ts";
import { readInpainting } from "../image-inpaint.ts";
import { openImageOutput, writePictures, type ImageFormat } from "../image-output.ts";
import { imageTask, type ImageTask } from "../image-task.ts";
import type { Io } from "../io.ts";
import { writeOutput, type OutputTarget } from "../output.ts";
import { batchText, placementOf } from "../placement.ts";
import { SamplingProgress } from "../sampling-progress.ts";
import { Terminal } from "../terminal.ts";
import type { SampleCommandOptions } from "./sample.ts";

/** `unnoise sample` of a run on images */
export async function sampleImageRun(path: string, options: SampleCommandOptions, io: Io): Promise<void> {
  await sampled(options, io, async () => {
    const { folder, name, model: own } = await openAnyRun(path);
    const model = await modelOfCheckpoint(folder, own, options.weights ?? "ema");
    if (model.kind === "images") return { name, model };
    throw new UnnoiseError("run-folder", `${path}: config.json says images, its model is one of points`);
  });
}

/** `unnoise sample` of a model of diffusers, as its scheduler asks */
export async function sampleDiffusers(path: string, options: SampleCommandOptions, io: Io): Promise<void> {
  await sampled(options, io, async () => {
    const model = await importDiffusers(path);
    return { name: basename(path), model, advice: samplingOfDiffusers(model) };
  });
}

async function sampled(options: SampleCommandOptions, io: Io, open: () => Promise<OpenImageModel>): Promise<void> {
  const terminal = new Terminal(io, options);
  const target = await openImageOutput(options, terminal);
  checkImageFlags(options, target.format);
  const opened = await open();
  const shape = sampleShapeOf(opened.model.denoiser);
  const { inpaint, mask } = options;
  const inpainting = inpaint === undefined ? undefined : await readInpainting(inpaint, mask, shape);
  const choice = chooseImageSampler(opened, options, { inpainting });
  const task = imageTask(opened.model, options);
  checkImageCount(task.count, shape, target.format);
  const began = performance.now();
  const content = await drawn(opened, choice, task, target.format, { options, terminal });
  await written(target, content, terminal);
  const took = duration((performance.now() - began) / 1000);
  const how = `${choice.label}${batchText(options.batch)}`;
  if (target.path !== "-") terminal.say(`${target.path}: ${counted(task.count, "image")} by ${how}, ${took}`);
}

interface Surroundings {
  readonly options: SampleCommandOptions;
  readonly terminal: Terminal;
}

/** The content of a file, or the images for a folder. */
async function drawn(
  { model }: OpenImageModel,
  choice: ImageSamplerChoice,
  { columns, ...task }: ImageTask,
  format: ImageFormat,
  { options, terminal }: Surroundings,
): Promise<Uint8Array | FloatTensor> {
  const shape = sampleShapeOf(model.denoiser);
  const frames = format === "gif" ? new FrameRecorder([task.count, ...shape], options.show ?? "xt") : undefined;
  const progress = new SamplingProgress(terminal);
  const images = await sampleImages(model, {
    ...task,
    ...choice.options,
    ...placementOf(options),
    ...(options.batch !== undefined && { batch: options.batch }),
    sampler: choice.sampler,
    onStep: (step, group) => {
      progress.update(step, group);
      frames?.add(step, group);
    },
  }).finally(() => progress.stop());
  const layout = gridOptions(shape, columns);
  return frames ? frames.gif(layout) : encoded(images, format, layout);
}

function encoded(images: FloatTensor, format: ImageFormat, layout: GridOptions): Uint8Array | FloatTensor {
  if (format === "npy") return encodeNpy(images);
  return format === "png" ? encodePng(imageGrid(images, layout)) : images;
}

async function written(
  target: OutputTarget<ImageFormat>,
  content: Uint8Array | FloatTensor,
  terminal: Terminal,
): Promise<void> {
  if (content instanceof Uint8Array) await writeOutput(target, content, terminal);
  else await writePictures(target, content);
}
