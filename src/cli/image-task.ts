import { interpolateLatents } from "../diffusion/interpolate.ts";
import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { Random } from "../math/random.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { classesOf, sampleShapeOf } from "../train/denoiser-spec.ts";
import type { ImageModel } from "../train/model.ts";
import { classCountOf, type SampleImagesOptions } from "../train/sample-images.ts";
import type { ImageSampleFlags } from "./image-flags.ts";

/** Flags that say which images to draw. */
export interface TaskFlags extends ImageSampleFlags {
  readonly count?: number;
  readonly seed?: number;
}

/** What to draw, and in how many columns a grid shows it. */
export interface ImageTask extends Pick<SampleImagesOptions, "labels" | "guidance" | "start"> {
  readonly count: number;
  readonly seed: number;
  readonly columns?: number;
}

const USUAL_COUNT = 16;
const USUAL_ROWS = 8;
/** More classes than that make no row of a grid. */
const MOST_COLUMNS = 20;

/**
 * What flags ask to draw: images of classes, in rows of all of them, or rows between two seeds.
 * @throws UnnoiseError `usage` for a class that the model does not have
 */
export function imageTask(model: ImageModel, flags: TaskFlags): ImageTask {
  const { seed = 0, guidance } = flags;
  const label = flags.class === undefined ? undefined : classOf(flags.class, model);
  if (label === undefined) checkNoClass(model);
  const common = { seed, ...(guidance !== undefined && { guidance }) };
  if (flags.interpolate !== undefined) return { ...common, ...rowsBetween(model, flags, flags.interpolate, label) };
  if (label !== "all")
    return { ...common, count: flags.count ?? USUAL_COUNT, ...(label !== undefined && { labels: label }) };
  const classes = classCountOf(model);
  const count = flags.count ?? classes * Math.ceil(USUAL_COUNT / classes);
  return { ...common, count, labels: "all", ...(classes <= MOST_COLUMNS && { columns: classes }) };
}

/** Checks that a model can draw images of no class: one that was trained with a class for every image cannot. */
function checkNoClass(model: ImageModel): void {
  const rows = classesOf(model.denoiser);
  if (rows === 0 || classCountOf(model) < rows) return;
  const advice = `add --class with ${expectedClass(model)}`;
  throw new UnnoiseError("usage", `--class is missing: this model draws images of a class only; ${advice}`);
}

function expectedClass(model: ImageModel): string {
  const names = model.classes ?? [];
  const shown = names.length > 0 && names.length <= MOST_COLUMNS ? `${names.join(", ")}, ` : "";
  return `${shown}a number in 0…${classCountOf(model) - 1}, or all`;
}

/** A class by its name or number. */
function classOf(text: string, model: ImageModel): number | "all" {
  const count = classCountOf(model);
  if (count === 0) {
    throw new UnnoiseError("usage", `--class ${text}: this model was trained without classes; leave it out`);
  }
  if (text === "all") return "all";
  const names = model.classes ?? [];
  const named = names.indexOf(text);
  if (named >= 0) return named;
  if (/^\d+$/.test(text) && Number(text) < count) return Number(text);
  const near = nearMiss(text, names);
  const expected = near === undefined ? `expected ${expectedClass(model)}` : `did you mean ${near}?`;
  throw new UnnoiseError("usage", `--class ${text}: the model has no such class; ${expected}`);
}

/** Rows of latents on arcs from those of the seed to those of the next. */
function rowsBetween(
  model: ImageModel,
  { count: rows = USUAL_ROWS, seed = 0 }: TaskFlags,
  columns: number,
  label: number | "all" | undefined,
): Pick<ImageTask, "count" | "start" | "labels" | "columns"> {
  const [from, to] = [latents(model, rows, seed), latents(model, rows, seed + 1)];
  const start = interpolateLatents(
    from,
    to,
    Array.from({ length: columns }, (_, i) => i / (columns - 1)),
  );
  const count = rows * columns;
  const classes = classCountOf(model);
  const labels = label === "all" ? Array.from({ length: count }, (_, i) => Math.floor(i / columns) % classes) : label;
  return { count, start, columns, ...(labels !== undefined && { labels }) };
}

/** x_T as a run with this seed begins. */
function latents({ denoiser }: ImageModel, count: number, seed: number): FloatTensor {
  const shape = sampleShapeOf(denoiser);
  const data = new Float32Array(count * sizeOf(shape));
  new Random(seed, "start").normals(data, sizeOf(shape));
  return floatTensor(data, [count, ...shape]);
}
