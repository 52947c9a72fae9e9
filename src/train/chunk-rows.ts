import { input } from "../graph/builders.ts";
import { peakMemory } from "../graph/peak-memory.ts";
import { classesOf, denoiserParameters, denoiserPredict, sampleShapeOf } from "./denoiser-spec.ts";
import type { DiffusionModel } from "./model.ts";

/** Points of one call: activations of so many fit a core's cache; larger batches go through in chunks. */
const POINTS = 1024;

/** Bytes of activations of one call on images. */
const IMAGE_BYTES = 2 ** 25;
const MOST_IMAGES = 64;

/** Rows of one call of a network: for images by the memory that activations of one take. */
export function chunkRowsOf({ kind, denoiser }: Pick<DiffusionModel, "kind" | "denoiser">): number {
  if (kind === "points") return POINTS;
  const bytes = activationBytes(denoiser);
  return Math.min(MOST_IMAGES, Math.max(1, Math.floor(IMAGE_BYTES / bytes)));
}

/** The most that activations of one image take at one time. */
export function activationBytes(denoiser: DiffusionModel["denoiser"]): number {
  const weights = denoiserParameters(denoiser).map(({ name, shape }) => [name, input(name, shape)] as const);
  const said = denoiserPredict(denoiser)(
    {
      xt: input("xt", [1, ...sampleShapeOf(denoiser)]),
      steps: input("steps", [1], "int32"),
      ...(classesOf(denoiser) > 0 && { classLabels: input("labels", [1], "int32") }),
    },
    Object.fromEntries(weights),
  );
  return peakMemory([said]).activations;
}
