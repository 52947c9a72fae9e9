import { chooseSampler, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { finalSample } from "../../diffusion/sampler.ts";
import { seededNoise } from "../../diffusion/noise.ts";
import { at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { eventLoopPause } from "../../train/event-loop.ts";
import { DenoiserSession } from "../../train/model.ts";
import type { DoneJob, JobKind } from "../job.ts";
import { PathRecorder, spreadTimes, type PathValues } from "../path-recorder.ts";
import type { ForwardPathsConfig } from "./forward-paths.node.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";

/** Which reverse paths are kept. */
export interface ReversePathsConfig {
  /** Takes as many steps as the schedule has. */
  readonly sampler: NonNullable<SamplerFlags["sampler"]>;
  readonly seed: number;
  /** Number of times at which states are kept, besides t = T. */
  readonly times: number;
}

/**
 * The ends x_T of forward paths on their way back: leaves `states` `[times, points, D]`, in data units from t = T to 0. Needs train,
 * forward-paths.
 */
export const reversePathsKind: JobKind<ReversePathsConfig, PathValues> = {
  name: "reverse-paths",
  version: 1,
  seconds: (_, needs) => {
    const training = trainingOf(needs);
    return 0.3 + training.timesteps * (at(needs, 1).config as ForwardPathsConfig).points * secondsOfRow(training);
  },
  run: async ({ sampler, seed, times }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { end: start } = (at(needs, 1) as DoneJob<PathValues>).arrays as { readonly end: FloatTensor };
    const { model, schedule } = run;
    const choice = chooseSampler({ sampler, steps: schedule.timesteps }, run);
    const recorder = new PathRecorder(model.standardiser, spreadTimes(schedule.timesteps, times));
    recorder.add(schedule.timesteps, start);
    const session = new DenoiserSession(model, { device: "cpu", threads: 1 });
    const pause = eventLoopPause();
    const denoiser: typeof session.predict = async (xt, step) => {
      await pause();
      return session.predict(xt, step);
    };
    const options = {
      ...choice.options,
      denoiser,
      schedule,
      start,
      shape: start.shape,
      noise: seededNoise(seed),
      signal,
    };
    try {
      await finalSample(choice.sampler(options), ({ previousStep, xPrevious, index, count }) => {
        recorder.add(previousStep + 1, xPrevious);
        onShare((index + 1) / count);
      });
    } finally {
      await session.dispose();
    }
    return { values: recorder.values(model.columns), arrays: { states: recorder.states() } };
  },
};
