import type { SamplerFlags } from "../diffusion/sampler-choice.ts";
import { parseTrainingConfig, type TrainingConfig } from "../train/config.ts";
import { basename } from "node:path";
import { jobOf, type Job } from "./job.ts";
import { boundKind, type BoundConfig, type BoundValues } from "./jobs/bound.node.ts";
import { floorsKind, type FloorsValues } from "./jobs/floors.node.ts";
import { qualityKind, type QualityValues } from "./jobs/quality.node.ts";
import { trainKind, type TrainJobConfig, type TrainValues } from "./jobs/train.node.ts";
import type { RunChoice, Scale, TrainingChoice } from "./study.ts";

/** Training of the models that most studies share: what `unnoise train` does by default, or less of it. */
export const baseTraining: Readonly<Record<Scale, TrainingChoice>> = {
  quick: { iterations: 5000, learningRate: 4e-3, width: 96, depth: 3, dataSize: 20_000 },
  full: {},
};

/** Points in each set whose distance is measured. */
export const measuredPoints: Readonly<Record<Scale, number>> = { quick: 500, full: 2000 };

/** What a data source is called in labels and titles. */
export function nameOf({ source }: Pick<RunChoice, "source">): string {
  return basename(source.data);
}

/**
 * Training a model on some data with a seed; equal ones of several studies are one.
 * @param training what differs from the shared training of this scale
 * @param name what differs, for people
 */
export function trainJob(choice: RunChoice, training: TrainingChoice = {}, name = ""): Job<TrainValues> {
  const { source, seed, scale } = choice;
  const options = { ...baseTraining[scale], ...training, data: source.data, seed, device: "cpu", threads: 1 };
  const config: TrainJobConfig = { training: parseTrainingConfig(options), digest: source.digest };
  const words = [`train ${nameOf(choice)}`, name, `seed ${seed}`].filter((word) => word !== "");
  return jobOf(trainKind, config, words.join(", "));
}

const trainingOf = (job: Job<TrainValues>): TrainJobConfig => job.config as TrainJobConfig;

/** What data reach against data, for the data of a training job. */
function floorsJob(train: Job<TrainValues>, count: number): Job<FloorsValues> {
  const { training, digest } = trainingOf(train);
  const { data, dataNoise, dataSize, seed }: TrainingConfig = training;
  const label = `floors of ${basename(data)}, seed ${seed}`;
  return jobOf(floorsKind, { data, digest, dataNoise, dataSize, seed, count }, label);
}

/** Sampling from a training job's model, and measuring the samples. */
export function qualityJob(train: Job<TrainValues>, sampling: SamplerFlags, count: number): Job<QualityValues> {
  const { seed } = trainingOf(train).training;
  const name = [sampling.sampler ?? "ddpm", sampling.steps === undefined ? "" : `${String(sampling.steps)} steps`];
  const label = `${name.filter((word) => word !== "").join(" ")} after ${train.label}`;
  return jobOf(qualityKind, { sampling, seed }, label, [train, floorsJob(train, count)]);
}

const usualBound = { rows: 1000, variance: null, first: "second", steps: null, stepsPerRow: null } as const;

/** The bound of a training job's model on fresh data. */
export function boundJob(train: Job<TrainValues>, options: Partial<BoundConfig> = {}): Job<BoundValues> {
  const { seed } = trainingOf(train).training;
  const config: BoundConfig = { ...usualBound, seed: seed + FRESH_SEED, ...options };
  return jobOf(boundKind, config, `bound after ${train.label}`, [train]);
}

/** Keeps fresh data of bounds apart from those of metrics. */
const FRESH_SEED = 1000;
