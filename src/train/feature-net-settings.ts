import { z } from "zod";
import type { ImageDataset } from "../data/images.ts";
import { UnnoiseError } from "../math/error.ts";
import { features, MOST_LEVELS } from "../nn/config-sizes.ts";
import type { ClassifierConfig } from "../nn/classifier.ts";

/** How the classifier that gives features is built and trained. */
export interface ClassifierSettings {
  /** Channels after each block, the last is the number of features; by the size of the images if absent. */
  readonly channels?: readonly number[] | undefined;
  /** Groups of channels that are normalised together. */
  readonly groups: number;
  /** Times that every image is seen. */
  readonly epochs: number;
  readonly batchSize: number;
  /** η after warm-up, from where it falls to 0 along a cosine. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Each image is moved by at most so many pixels up or down and left or right, its edge repeated, so that fewer are learned by heart. */
  readonly shift: number;
  /** Whether every other image is mirrored left to right: only where a mirrored image keeps its class. */
  readonly flips: boolean;
  readonly seed: number;
}

/** The same with what may be left out. */
export type ClassifierSettingsInput = { readonly [K in keyof ClassifierSettings]?: ClassifierSettings[K] | undefined };

const count = z.int().min(1).max(1_000_000);

/** The settings as a user may give them: unknown keys are refused, what is absent is usual. */
export const classifierSettings: z.ZodType<ClassifierSettings, ClassifierSettingsInput> = z.strictObject({
  channels: z.array(features).min(1).max(MOST_LEVELS).optional(),
  groups: features.default(8),
  epochs: count.default(4),
  batchSize: count.default(64),
  learningRate: z.number().positive().default(3e-3),
  weightDecay: z.number().min(0).default(0.1),
  shift: z.int().min(0).max(4096).default(0),
  flips: z.boolean().default(false),
  seed: z.int().min(0).default(0),
});

const USUAL_CHANNELS = [16, 32, 64, 128, 128, 128, 128];
/** Blocks after the first halve the image until no side is longer than this. */
const LAST_EXTENT = 4;

/**
 * The classifier for a data set.
 * @throws UnnoiseError `usage` for images without labels or with one class only
 */
export function classifierFor(images: ImageDataset, settings: ClassifierSettings): ClassifierConfig {
  const { name, labels, classes, shape } = images;
  const advice = "give an ONNX file as feature net instead";
  if (!labels) throw new UnnoiseError("usage", `feature net: the images of ${name} have no labels to learn; ${advice}`);
  const known = classes?.length ?? labels.reduce((most, label) => Math.max(most, label + 1), 0);
  if (known < 2) {
    throw new UnnoiseError(
      "usage",
      `feature net: the images of ${name} have ${known} class, expected 2 or more; ${advice}`,
    );
  }
  const halvings = Math.max(1, Math.ceil(Math.log2(Math.max(shape[1], shape[2]) / LAST_EXTENT)));
  const { channels = USUAL_CHANNELS.slice(0, halvings + 1), groups } = settings;
  return { shape, classes: known, channels, groups };
}
