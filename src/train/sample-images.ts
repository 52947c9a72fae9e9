import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { classesOf, sampleShapeOf } from "./denoiser-spec.ts";
import { drawSamples, type DrawOptions } from "./draw-samples.ts";
import type { ImageModel } from "./model.ts";

/** What sampling of images takes. */
export interface SampleImagesOptions extends Omit<DrawOptions, "clip"> {
  /**
   * Range [low, high] that x̂_0 is clipped to: that of images, [−1, 1], if absent, as Ho et al. 2020 do, unless there is a `threshold`;
   * null for no clipping.
   */
  readonly clip?: readonly [low: number, high: number] | null;
  /**
   * Class of the samples: a number for all, a list with one for each, or `all`, which gives sample i class i modulo their number.
   * If absent, no class, which a network must have learned.
   */
  readonly labels?: number | ArrayLike<number> | "all";
  /**
   * w of classifier-free guidance, ε_∅ + w·(ε_c − ε_∅) (Ho & Salimans 2022, eq. 6, arXiv 2207.12598, whose w is this one less 1): 1,
   * the usual, is conditional only, 0 unconditional; other values ask the network twice a step.
   */
  readonly guidance?: number;
  /** x_T [count, C, H, W] to start from instead of drawn noise. */
  readonly start?: FloatTensor;
  /** Bytes that the states of a group of samples may take, ≥ 1; 256 MiB if absent. */
  readonly memory?: number;
}

const USUAL_COUNT = 16;
const USUAL_MEMORY = 2 ** 28;

/** x_t, x̂_0, ε, the network's outputs, z, and sums in float64: bytes that a run holds for each value of a sample. */
const BYTES_PER_VALUE = 48;

/**
 * Draws images from a model. A sample's bits depend on seed and its number alone, whatever the count and the memory.
 * @returns [count, C, H, W]; in [−1, 1] where x̂_0 is limited, since samplers end on it
 * @throws UnnoiseError `usage` for an option out of range, for classes or guidance that the network does not have, `device` when the
 * device is not available, `interrupted` after `signal`, `not-finite` when the network gives NaN
 */
export async function sampleImages(model: ImageModel, options: SampleImagesOptions = {}): Promise<FloatTensor> {
  const { clip, labels: asked, guidance, start, memory = USUAL_MEMORY, ...rest } = options;
  const count = options.count ?? start?.shape[0] ?? USUAL_COUNT;
  const labels = asked === undefined ? undefined : labelsOf(model, asked, count);
  checkGuidance(guidance, labels);
  if (!(memory >= 1)) throw new UnnoiseError("usage", `memory: expected a number of bytes ≥ 1, got ${memory}`);
  const bytes = BYTES_PER_VALUE * sizeOf(sampleShapeOf(model.denoiser));
  const limit = clip === undefined && rest.threshold === undefined ? ([-1, 1] as const) : clip;
  return drawSamples(
    model,
    { ...rest, ...(limit && { clip: limit }) },
    {
      count,
      groupSize: Math.floor(memory / bytes),
      ...(labels && { labels }),
      ...(guidance !== undefined && { guidance }),
      ...(start && { start }),
    },
  );
}

/** Classes that a model can be asked for: the named ones, or all that its network has. */
export function classCountOf(model: ImageModel): number {
  const rows = classesOf(model.denoiser);
  return Math.min(model.classes?.length ?? rows, rows);
}

function labelsOf(model: ImageModel, asked: number | ArrayLike<number> | "all", count: number): Int32Array {
  const classes = classCountOf(model);
  if (classes === 0) {
    throw new UnnoiseError("usage", "labels: this model was trained without classes; leave them out");
  }
  const label = (i: number): number =>
    asked === "all" ? i % classes : typeof asked === "number" ? asked : (asked[i] ?? Number.NaN);
  if (typeof asked === "object" && asked.length !== count) {
    throw new UnnoiseError("usage", `labels: expected one for each of ${count} samples, got ${asked.length}`);
  }
  return Int32Array.from({ length: count }, (_, i) => checkedLabel(label(i), classesOf(model.denoiser)));
}

function checkedLabel(label: number, rows: number): number {
  if (Number.isInteger(label) && label >= 0 && label < rows) return label;
  throw new UnnoiseError("usage", `labels: expected integers in 0…${rows - 1}, got ${label}`);
}

function checkGuidance(guidance: number | undefined, labels: Int32Array | undefined): void {
  if (guidance === undefined) return;
  if (!Number.isFinite(guidance)) {
    throw new UnnoiseError("usage", `guidance: expected a finite number, got ${guidance}`);
  }
  if (labels === undefined) {
    throw new UnnoiseError("usage", "guidance: nothing to guide towards without classes; add labels, or leave it out");
  }
}
