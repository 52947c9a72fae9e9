import type { SamplerFlags } from "../diffusion/sampler-choice.ts";
import type { GridBound, GridStudy, Setting } from "./grid.ts";
import type { Job } from "./job.ts";
import type { BoundValues } from "./jobs/bound.node.ts";
import type { QualityValues } from "./jobs/quality.node.ts";
import type { TrainJobConfig, TrainValues } from "./jobs/train.node.ts";
import { boundJob, nameOf, qualityJob, trainJob } from "./measures.node.ts";
import type { StudyOptions } from "./study.ts";

/** The jobs of one setting on one data set with one seed. */
export interface CellJobs {
  /** The data set's name. */
  readonly data: string;
  readonly setting: Setting;
  readonly seed: number;
  readonly train: Job<TrainValues>;
  readonly quality: Job<QualityValues>;
  /** Absent where the sampler has no bound, or none is asked. */
  readonly bound?: Job<BoundValues>;
}

/** Seeds of a study. */
function seedsOf({ seed, seeds }: Pick<StudyOptions, "seed" | "seeds">): number[] {
  return Array.from({ length: seeds }, (_, i) => seed + i);
}

/** Jobs for every data set, setting and seed, in this order; seeds last, so that equal parts of all settings come early. */
export function gridJobs(study: GridStudy, options: StudyOptions): CellJobs[] {
  return options.data.flatMap((source) =>
    study.settings.flatMap((setting) =>
      seedsOf(options).map((seed): CellJobs => {
        const choice = { source, seed, scale: options.scale };
        const train = trainJob(choice, { ...study.training, ...setting.training }, trainingWords(setting));
        const quality = qualityJob(train, setting.sampling, study.sizes.points);
        const bound = study.sizes.bound && boundOf(train, setting.sampling, study.sizes.bound);
        return { data: nameOf(choice), setting, seed, train, quality, ...(bound && { bound }) };
      }),
    ),
  );
}

/** All jobs of cells. */
export function jobsOf(cells: readonly CellJobs[]): Job[] {
  return cells.flatMap(({ quality, bound }) => (bound ? [quality, bound] : [quality]));
}

const trainingWords = ({ label, training }: Setting): string => (Object.keys(training).length === 0 ? "" : label);

/** The bound is that of ancestral sampling over evenly spaced steps without limits; other samplers have none. */
function boundOf(
  train: Job<TrainValues>,
  { sampler = "ddpm", steps, variance, ...others }: SamplerFlags,
  { rows, stepsPerRow }: GridBound,
): Job<BoundValues> | undefined {
  const limited = Object.keys(others).length > 0;
  if (sampler !== "ddpm" || typeof steps === "object" || limited) return undefined;
  const chain = steps ?? (train.config as TrainJobConfig).training.timesteps;
  const all = stepsPerRow === null || stepsPerRow >= chain;
  return boundJob(train, {
    rows,
    stepsPerRow: all ? null : stepsPerRow,
    steps: steps ?? null,
    variance: variance ?? null,
  });
}
