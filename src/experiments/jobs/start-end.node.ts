import { unstandardise } from "../../data/standardise.ts";
import { chooseSampler, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { finalSample } from "../../diffusion/sampler.ts";
import { seededNoise } from "../../diffusion/noise.ts";
import { at } from "../../math/error.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import type { JobKind } from "../job.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";

/** What is sampled. */
export interface StartEndConfig {
  /** With all its steps. */
  readonly sampling: SamplerFlags;
  readonly count: number;
  readonly seed: number;
}

/** What a sampler is called, and the columns of the data. */
export interface StartEndValues {
  readonly label: string;
  readonly columns: readonly string[];
}

/**
 * Samples with the noise that each began with; leaves the arrays `starts` x_T `[count, D]`, which are the same for all samplers, and
 * `ends` `[count, D]`, in the units of the data. Needs train.
 */
export const startEndKind: JobKind<StartEndConfig, StartEndValues> = {
  name: "start-end",
  version: 1,
  seconds: ({ sampling, count }, needs) => {
    const training = trainingOf(needs);
    const steps = typeof sampling.steps === "number" ? sampling.steps : training.timesteps;
    return 0.2 + steps * count * secondsOfRow(training);
  },
  run: async ({ sampling, count, seed }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { sampler, options, label } = chooseSampler(sampling, run);
    let starts: FloatTensor | undefined;
    const ends = await withDenoiser(run, (denoiser) => {
      const shape = [count, run.model.columns.length];
      const walk = sampler({ ...options, denoiser, schedule: run.schedule, shape, noise: seededNoise(seed), signal });
      return finalSample(walk, (step) => {
        starts ??= floatTensor(step.xt.data.slice(), shape);
        onShare((step.index + 1) / step.count);
      });
    });
    const inUnits = (points: FloatTensor): FloatTensor => unstandardise(points, run.model.standardiser);
    return {
      values: { label, columns: run.model.columns },
      arrays: { starts: inUnits(starts ?? ends), ends: inUnits(ends) },
    };
  },
};
