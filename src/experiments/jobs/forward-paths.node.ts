import { randomRows } from "../../data/rows.ts";
import { standardise } from "../../data/standardise.ts";
import { forwardStep } from "../../diffusion/forward.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { eventLoopPause } from "../../train/event-loop.ts";
import type { JobKind } from "../job.ts";
import { PathRecorder, spreadTimes, type PathValues } from "../path-recorder.ts";
import { farthestRows } from "../farthest-points.ts";
import { axesOf, type Axis } from "../projection.ts";
import { runOf, trainingOf } from "./train.node.ts";

/** Which forward paths are kept. */
export interface ForwardPathsConfig {
  readonly seed: number;
  readonly points: number;
  /** Number of times at which states are kept, besides t = 0. */
  readonly times: number;
}

/** What is said of forward paths. */
export interface ForwardPathsValues extends PathValues {
  /** Directions along which the paths are worth a look, from the data. */
  readonly axes: readonly Axis[];
  /** Rows of points that are spread over the data. */
  readonly chosen: readonly number[];
}

/** Most points that are chosen. */
const MOST_CHOSEN = 12;

/**
 * Points of the data on their way to noise, one step of the Markov chain after the other: leaves `states` `[times, points, D]`, in data
 * units from t = 0 to T, and `end` `[points, D]`, x_T standardised. Needs train.
 */
export const forwardPathsKind: JobKind<ForwardPathsConfig, ForwardPathsValues> = {
  name: "forward-paths",
  version: 1,
  seconds: ({ points }, needs) => 0.3 + points * trainingOf(needs).timesteps * 2e-7,
  run: async ({ seed, points, times }, { needs, signal, onShare }) => {
    const { model, schedule, dataset } = await runOf(at(needs, 0));
    const { timesteps } = schedule;
    const random = new Random(seed, "figure");
    const pause = eventLoopPause();
    const data = await dataset();
    const drawn =
      data.draw?.(points, seed + FRESH_SEED) ?? randomRows(data.points, points, new Random(seed, "metric"), 1);
    let state: FloatTensor = standardise(drawn, model.standardiser);
    const recorder = new PathRecorder(model.standardiser, spreadTimes(timesteps, times));
    recorder.add(0, state);
    for (let step = 0; step < timesteps; step++) {
      await pause();
      if (signal.aborted) throw new UnnoiseError("interrupted", `stopped at t = ${step} of ${timesteps}`);
      const eps = floatTensor(new Float32Array(state.data.length), state.shape);
      random.normals(eps.data, at(state.shape, 1), 0, step);
      state = forwardStep(state, eps, schedule, step);
      recorder.add(step + 1, state);
      onShare((step + 1) / timesteps);
    }
    const axes = axesOf(drawn, model.columns);
    const values = { ...recorder.values(model.columns), axes, chosen: farthestRows(drawn, MOST_CHOSEN) };
    return { values, arrays: { states: recorder.states(), end: state } };
  },
};

/** Keeps these data apart from those of metrics and bounds. */
const FRESH_SEED = 3000;
