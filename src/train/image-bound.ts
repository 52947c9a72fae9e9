import type { ImageDataset } from "../data/images.ts";
import {
  variationalBound,
  type BoundTerm,
  type VariationalBound,
  type VariationalBoundOptions,
} from "../diffusion/bound.ts";
import type { Denoiser } from "../diffusion/sampler.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { SpreadEstimate } from "../math/running-mean.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { classesOf } from "./denoiser-spec.ts";
import { knownLabels } from "./known-labels.ts";
import { classCountOf } from "./sample-images.ts";
import { eventLoopPause } from "./event-loop.ts";
import { DenoiserSession, reverseVarianceOf, scheduleOf, type ImageModel } from "./model.ts";

export interface ImageBoundOptions extends CompileOptions {
  /** Images to measure on, chosen at random; 256, or all there are, if absent. */
  readonly count?: number;
  /** Steps at which each image is measured, one in each of as many stretches of the chain; null, the usual, for all T. */
  readonly stepsPerImage?: number | null;
  /** Range that x̂_0 is clipped to, as in sampling; null for none. [−1, 1] if absent. */
  readonly clip?: readonly [number, number] | null;
  /** Integer in 0…2^53−1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called with the share of the work that is done. */
  readonly onProgress?: (share: number) => void;
}

/** The bound on −log₂ p of 8-bit images, in bits per dimension (value of a channel of a pixel); `terms` alone in nats for a whole image. */
export interface ImageBound {
  readonly images: number;
  /**
   * What the network was told of classes: `told` the class of each image, so that it is a bound on −log₂ p(x|class); `none`, since the
   * images have none; `absent` where it takes none.
   */
  readonly classes: "told" | "none" | "absent";
  readonly total: SpreadEstimate;
  /** L_T. */
  readonly prior: SpreadEstimate;
  /** Σ_{t>1} L_{t−1}. */
  readonly transitions: SpreadEstimate;
  /** L_0, by the discretised Gaussian decoder. */
  readonly reconstruction: SpreadEstimate;
  /** L_0, then each L_{t−1}, upwards; with `stepsPerImage`, means over the images that were measured there, NaN where none was. */
  readonly terms: readonly BoundTerm[];
}

const USUAL_COUNT = 256;

/**
 * The variational bound of a model of images with the discretised decoder (Ho et al. 2020, eq. 5 and 13, arXiv 2006.11239).
 * @param images of the size that the model makes
 * @throws UnnoiseError `usage` for images of another size, classes that the model does not know, or images without for a network
 * that must be told one; `interrupted` after `signal`
 */
export async function imageBound(
  model: ImageModel,
  images: ImageDataset,
  options: ImageBoundOptions = {},
): Promise<ImageBound> {
  const { count = USUAL_COUNT, seed = 0, device, threads } = options;
  const { x0, rows } = someImages(images, Math.min(count, images.count), seed);
  const takes = classesOf(model.denoiser) > 0;
  const labels = takes ? knownLabels(images, { count: classCountOf(model), names: model.classes }) : undefined;
  const session = new DenoiserSession(model, { ...(device && { device }), ...(threads !== undefined && { threads }) });
  const pause = eventLoopPause();
  try {
    const denoiser: Denoiser = async (xt, step, places) => {
      await pause();
      const told = labels && places?.map((place) => at(labels, at(rows, place)));
      return session.conditioned(told ? { labels: told } : {})(xt, step);
    };
    const bound = await variationalBound({ ...boundOptions(model, x0, options), denoiser });
    return { ...inBits(bound), classes: labels ? "told" : takes ? "none" : "absent" };
  } finally {
    await session.dispose();
  }
}

function boundOptions(
  model: ImageModel,
  x0: FloatTensor,
  { seed = 0, stepsPerImage = null, clip = [-1, 1], signal, onProgress }: ImageBoundOptions,
): Omit<VariationalBoundOptions, "denoiser"> {
  return {
    schedule: scheduleOf(model),
    x0,
    noise: new Random(seed, "bound"),
    variance: reverseVarianceOf(model),
    first: model.firstLogVariance,
    decoder: "discretised",
    batchRows: BATCH_ROWS,
    stretches: "widening",
    ...(stepsPerImage !== null && { stepsPerRow: stepsPerImage }),
    ...(clip && { clip }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  };
}

function inBits(bound: VariationalBound): Omit<ImageBound, "classes"> {
  const factor = 1 / (bound.width * Math.LN2);
  const bits = ({ mean, standardError, variance }: SpreadEstimate): SpreadEstimate => ({
    mean: mean * factor,
    standardError: standardError * factor,
    variance: variance * factor ** 2,
  });
  const { rows: images, prior, transitions, reconstruction, total, terms } = bound;
  return {
    images,
    total: bits(total),
    prior: bits(prior),
    transitions: bits(transitions),
    reconstruction: bits(reconstruction),
    terms,
  };
}

const BATCH_ROWS = 256;

/** Different images in random order, and which they are. */
function someImages(images: ImageDataset, count: number, seed: number): { x0: FloatTensor; rows: Int32Array } {
  if (!Number.isInteger(count) || count < 1) {
    throw new UnnoiseError("usage", `bound: expected at least one image, got ${count}`);
  }
  const rows = Int32Array.from(new Random(seed, "metric").permutation(images.count).subarray(0, count));
  const shape = [count, ...images.shape];
  const data = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  images.gather(rows, data);
  return { x0: floatTensor(data, shape), rows };
}
