import { standardise } from "../../data/standardise.ts";
import { chooseSampler, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { samplerTable } from "../../diffusion/sampler-table.ts";
import { at } from "../../math/error.ts";
import { evaluateSamples, type MetricRow } from "../../metrics/evaluate.ts";
import { sample } from "../../train/sample.ts";
import type { DoneJob, JobKind } from "../job.ts";
import type { FloorsConfig, FloorsValues } from "./floors.node.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";

/** What is sampled, from a training job, against a floors job. */
export interface QualityConfig {
  readonly sampling: SamplerFlags;
  readonly seed: number;
}

/** How good the samples are. */
export interface QualityValues {
  /** "DDIM, 50 steps" */
  readonly label: string;
  readonly steps: number;
  readonly metrics: readonly MetricRow[];
}

const SAMPLING_SHARE = 0.7;

/** Samples from a model and measures them beside the floors; leaves the array `samples`, standardised. Needs train, floors. */
export const qualityKind: JobKind<QualityConfig, QualityValues> = {
  name: "quality",
  version: 1,
  seconds: ({ sampling }, needs) => {
    const training = trainingOf(needs);
    const { count } = at(needs, 1).config as FloorsConfig;
    return 1 + stepsOf(sampling, training.timesteps) * count * secondsOfRow(training);
  },
  run: async ({ sampling, seed }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { values, arrays } = at(needs, 1) as DoneJob<FloorsValues>;
    const { reference } = arrays as { readonly reference: (typeof arrays)[string] };
    const choice = chooseSampler(sampling, run);
    const points = await sample(run.model, {
      ...choice.options,
      sampler: choice.sampler,
      count: values.count,
      seed,
      signal,
      device: "cpu",
      threads: 1,
      onStep: ({ index, count }) => onShare((SAMPLING_SHARE * (index + 1)) / count),
    });
    const samples = standardise(points, run.model.standardiser);
    const { metrics } = await evaluateSamples({ samples, reference, floors: values.floors, seed, signal });
    return { values: { label: choice.label, steps: choice.steps, metrics }, arrays: { samples } };
  },
};

function stepsOf({ sampler = "ddpm", steps }: SamplerFlags, timesteps: number): number {
  const { usualSteps } = samplerTable[sampler];
  if (typeof steps === "object") return steps.length;
  return steps ?? (usualSteps === "all" ? timesteps : usualSteps);
}
