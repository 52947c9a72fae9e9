import { qSample } from "../diffusion/forward.ts";
import { encodeGif } from "../formats/gif.ts";
import { imageGrid } from "../formats/pixels.ts";
import { imageStripFigure, type ImageMoment } from "../figures/image-strip.ts";
import { Random } from "../math/random.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { sampleShapeOf } from "../train/denoiser-spec.ts";
import type { ImageModel } from "../train/model.ts";
import type { OpenAnyRun } from "../train/open-run.node.ts";
import { sampleImages, type SampleImagesOptions } from "../train/sample-images.ts";
import { FrameRecorder, gridOptions } from "./image-frames.ts";
import type { ImageSamplerChoice } from "./image-choice.ts";
import { towardsZero } from "./moments.ts";

/** Columns of a strip, and frames of an animation. */
const MOMENTS = 8;
const FRAMES = 40;
const FRAME_MS = 80;
const LAST_MS = 2000;

type ImageRun = OpenAnyRun<ImageModel>;
interface Drawn {
  readonly count: number;
  readonly seed: number;
}

/** x_t of some images of the data at up to `count` times, from t = 0 on; the noise of an image is the same at all. */
async function forwardMoments(run: ImageRun, { count, seed }: Drawn, moments: number): Promise<ImageMoment[]> {
  const { schedule } = run;
  const x0 = await someImages(run, { count, seed });
  const eps = floatTensor(new Float32Array(x0.data.length), x0.shape);
  new Random(seed, "figure").normals(eps.data, sizeOf(x0.shape.slice(1)));
  return towardsZero(schedule.timesteps, moments).map((t) => ({
    label: `t = ${t}`,
    images: t === 0 ? x0 : qSample(x0, eps, schedule, t - 1),
  }));
}

/** Some of the images of a run. */
async function someImages({ folder }: ImageRun, { count, seed }: Drawn): Promise<FloatTensor> {
  const images = await folder.images(await folder.config());
  const rows = Int32Array.from(new Random(seed, "figure").permutation(images.count, 1).slice(0, count));
  const data = new Float32Array(rows.length * sizeOf(images.shape));
  images.gather(rows, data);
  return floatTensor(data, [rows.length, ...images.shape]);
}

/** The forward process: a row for each image, a column for each time. */
export async function forwardImageStrip(run: ImageRun, drawn: Drawn): Promise<string> {
  const moments = await forwardMoments(run, drawn, MOMENTS);
  return imageStripFigure({ title: `${run.name}: forward process, T = ${run.schedule.timesteps}`, moments });
}

/** The forward process as an animation of a grid. */
export async function forwardImageGif(run: ImageRun, drawn: Drawn): Promise<Uint8Array> {
  const moments = await forwardMoments(run, drawn, FRAMES);
  const layout = gridOptions(sampleShapeOf(run.model.denoiser));
  const grids = moments.map(({ images }) => imageGrid(images, layout));
  return encodeGif(grids, { delay: grids.map((_, i) => (i === grids.length - 1 ? LAST_MS : FRAME_MS)) });
}

/** What drawing the reverse process takes. */
export type ReverseOptions = Drawn & Pick<SampleImagesOptions, "device" | "threads" | "signal" | "onStep">;

/** States of a sampler: a row for each image, a column for each time, from noise to the image. */
export async function reverseImageStrip(
  { name, model }: ImageRun,
  choice: ImageSamplerChoice,
  options: ReverseOptions,
): Promise<string> {
  const kept = new Map<number, ImageMoment>();
  const wanted = new Set(towardsZero(choice.steps, MOMENTS).map((left) => choice.steps - left));
  await sampleImages(model, {
    ...options,
    ...choice.options,
    sampler: choice.sampler,
    // All of the few images that a strip shows are one group.
    memory: Infinity,
    onStep: (step, group) => {
      const { index, xt, xPrevious } = step;
      if (index === 0) kept.set(0, { label: `t = ${step.step + 1}`, images: xt });
      if (wanted.has(index + 1)) kept.set(index + 1, { label: `t = ${step.previousStep + 1}`, images: xPrevious });
      options.onStep?.(step, group);
    },
  });
  return imageStripFigure({ title: `${name}: reverse process, ${choice.label}`, moments: [...kept.values()] });
}

/** The reverse process as an animation of a grid. */
export async function reverseImageGif(
  { model }: ImageRun,
  choice: ImageSamplerChoice,
  options: ReverseOptions,
): Promise<Uint8Array> {
  const shape = sampleShapeOf(model.denoiser);
  const frames = new FrameRecorder([options.count, ...shape], "xt");
  await sampleImages(model, {
    ...options,
    ...choice.options,
    sampler: choice.sampler,
    onStep: (step, group) => {
      frames.add(step, group);
      options.onStep?.(step, group);
    },
  });
  return frames.gif(gridOptions(shape));
}
