import { chooseSampler, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { finalSample } from "../../diffusion/sampler.ts";
import { seededNoise } from "../../diffusion/noise.ts";
import { at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import type { DoneJob, JobKind } from "../job.ts";
import { PathRecorder, spreadTimes, type PathValues } from "../path-recorder.ts";
import { orderKept, type OrderKept } from "../projection.ts";
import { sliceOf } from "../tensor-rows.ts";
import type { ForwardPathsConfig, ForwardPathsValues } from "./forward-paths.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";

/** Which reverse paths are kept. */
export interface ReversePathsConfig {
  /** Takes as many steps as the schedule has. */
  readonly sampler: NonNullable<SamplerFlags["sampler"]>;
  readonly seed: number;
  /** Number of times at which states are kept, besides t = T. */
  readonly times: number;
}

/** What is said of reverse paths. */
export interface ReversePathsValues extends PathValues {
  /** "DDIM, 1000 steps" */
  readonly label: string;
  /** How far the order of the starts is kept along each axis of the forward paths. */
  readonly orders: readonly OrderKept[];
}

/**
 * The ends x_T of forward paths on their way back: leaves `states` `[times, points, D]`, in data units from t = T to 0. Needs train,
 * forward-paths.
 */
export const reversePathsKind: JobKind<ReversePathsConfig, ReversePathsValues> = {
  name: "reverse-paths",
  version: 1,
  seconds: (_, needs) => {
    const training = trainingOf(needs);
    return 0.3 + training.timesteps * (at(needs, 1).config as ForwardPathsConfig).points * secondsOfRow(training);
  },
  run: async ({ sampler, seed, times }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { end: start } = (at(needs, 1) as DoneJob<ForwardPathsValues>).arrays as { readonly end: FloatTensor };
    const { axes } = (at(needs, 1) as DoneJob<ForwardPathsValues>).values;
    const { model, schedule } = run;
    const choice = chooseSampler({ sampler, steps: schedule.timesteps }, run);
    const recorder = new PathRecorder(model.standardiser, spreadTimes(schedule.timesteps, times));
    recorder.add(schedule.timesteps, start);
    await withDenoiser(run, (denoiser) =>
      finalSample(
        choice.sampler({
          ...choice.options,
          denoiser,
          schedule,
          start,
          shape: start.shape,
          noise: seededNoise(seed),
          signal,
        }),
        ({ previousStep, xPrevious, index, count }) => {
          recorder.add(previousStep + 1, xPrevious);
          onShare((index + 1) / count);
        },
      ),
    );
    const states = recorder.states();
    const each = Array.from({ length: at(states.shape, 0) }, (_, index) => sliceOf(states, index));
    const orders = axes.map((axis) => orderKept(each, axis));
    return { values: { ...recorder.values(model.columns), label: choice.label, orders }, arrays: { states } };
  },
};
