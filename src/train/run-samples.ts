import type { ImageDataset } from "../data/images.ts";
import { ddim } from "../diffusion/samplers/ddim.ts";
import type { RgbaImage } from "../formats/image.ts";
import { imageGrid } from "../formats/pixels.ts";
import { UnnoiseError } from "../math/error.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import type { TrainingConfig } from "./config.ts";
import { knownLabels } from "./known-labels.ts";
import { imageBound } from "./image-bound.ts";
import type { ImageModel } from "./model.ts";
import type { MeasureEvent } from "./run-log-event.ts";
import { sampleImages } from "./sample-images.ts";

/** What grids and bounds of a run depend on, beside the model. */
export type MeasureConfig = Pick<
  TrainingConfig,
  "seed" | "timesteps" | "conditional" | "labelDropout" | "sampleEvery" | "boundEvery"
>;

const GRID_SAMPLES = 16;
const MOST_COLUMNS = 16;
const GRID_STEPS = 50;
/** Pixels of an image in a grid at least: smaller ones are enlarged. */
const GRID_SIDE = 32;

/**
 * A grid of samples by DDIM, of every class in turn where the network knows classes. All grids of a run start from the same noise, so
 * that they show what training changes.
 */
export async function sampleGrid(
  model: ImageModel,
  { seed, timesteps, conditional }: MeasureConfig,
  placement: CompileOptions,
): Promise<RgbaImage> {
  const classes = conditional ? (model.classes?.length ?? 0) : 0;
  const columns = classes === 0 ? Math.sqrt(GRID_SAMPLES) : Math.min(classes, MOST_COLUMNS);
  const samples = await sampleImages(model, {
    ...placement,
    count: columns * Math.ceil(GRID_SAMPLES / columns),
    sampler: ddim(),
    steps: Math.min(GRID_STEPS, timesteps),
    seed,
    ...(classes > 0 && { labels: "all" }),
  });
  return imageGrid(samples, { columns, scale: Math.max(1, Math.ceil(GRID_SIDE / (samples.shape[3] ?? 1))) });
}

const BOUND_IMAGES = 64;
const BOUND_STEPS = 16;

/** The bound on the same few held-out images, each at a few steps, whose draws are the same throughout the run. */
export async function heldOutBound(
  model: ImageModel,
  images: ImageDataset,
  { seed, timesteps }: MeasureConfig,
  placement: CompileOptions,
): Promise<Omit<Extract<MeasureEvent, { event: "bound" }>, "event" | "iteration">> {
  const { total, images: count } = await imageBound(model, images, {
    ...placement,
    count: BOUND_IMAGES,
    stepsPerImage: Math.min(BOUND_STEPS, timesteps),
    seed,
  });
  return { bitsPerDimension: total.mean, bitsStandardError: total.standardError, images: count };
}

/**
 * Checks that what is asked for during training can be measured.
 * @param classes names of the classes of the images that are learned from
 * @throws UnnoiseError `usage`
 */
export function checkMeasures(
  { boundEvery, conditional, labelDropout }: MeasureConfig,
  heldOut: ImageDataset | undefined,
  classes?: readonly string[],
): void {
  if (boundEvery === null) return;
  if (heldOut === undefined) {
    throw new UnnoiseError(
      "usage",
      "boundEvery: the images have no held-out part to measure the bound on; hold some out with holdOut 0.1",
    );
  }
  if (conditional && classes) knownLabels(heldOut, { count: classes.length, names: classes });
  if (conditional && labelDropout === 0 && heldOut.labels === undefined) {
    const advice = "give them classes, raise labelDropout, or leave boundEvery out";
    throw new UnnoiseError(
      "usage",
      `boundEvery: the held-out images have no classes, and labelDropout 0 never trains that of none; ${advice}`,
    );
  }
}
