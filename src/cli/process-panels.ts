import { standardise, unstandardise } from "../data/standardise.ts";
import { qSample } from "../diffusion/forward.ts";
import { alphaCumprodAt, type NoiseSchedule } from "../diffusion/schedule.ts";
import type { StripPanel } from "../figures/strip.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import type { PointModel } from "../train/model.ts";
import { sample } from "../train/sample.ts";
import type { OpenRun } from "../train/open-run.node.ts";
import type { SamplerChoice } from "../diffusion/sampler-choice.ts";
import { towardsZero } from "./moments.ts";
import type { PlacementFlags } from "./placement.ts";

/** How a sampler is run to be watched. */
export interface Watch extends PlacementFlags {
  readonly count: number;
  readonly seed: number;
  /** Points of each call of the network, where that was asked for. */
  readonly batch?: number;
  /** Called after each step with steps done. */
  readonly onProgress?: (done: number) => void;
}

const panelAt = (t: number, points: FloatTensor, schedule: NoiseSchedule): StripPanel => ({
  label: `t = ${t}`,
  points,
  alphaCumprod: alphaCumprodAt(schedule, t - 1),
});

/** x_t of the first `count` points of some data at up to `panels` times, from t = 0 on; the noise of a point is the same at all. */
export function forwardPanels(
  { model, schedule }: OpenRun,
  data: FloatTensor,
  { panels, seed }: { readonly panels: number; readonly seed: number },
): StripPanel[] {
  const x0 = standardise(data, model.standardiser);
  const eps = floatTensor(new Float32Array(x0.data.length), x0.shape);
  new Random(seed, "figure").normals(eps.data, at(x0.shape, 1));
  return towardsZero(schedule.timesteps, panels).map((t) => {
    const xt = t === 0 ? x0 : qSample(x0, eps, schedule, t - 1);
    return panelAt(t, unstandardise(xt, model.standardiser), schedule);
  });
}

/** States of a sampler at up to `panels` times, from noise to sample, and the sample. */
export async function reversePanels(
  { model, schedule }: OpenRun,
  choice: SamplerChoice,
  { panels, ...watch }: Watch & { readonly panels: number },
): Promise<{ readonly panels: StripPanel[]; readonly samples: FloatTensor }> {
  const wanted = new Set(towardsZero(choice.steps, panels).map((left) => choice.steps - left));
  const kept: StripPanel[] = [];
  const samples = await watched(model, choice, watch, (state, t, done) => {
    if (wanted.has(done)) kept.push(panelAt(t, unstandardise(state, model.standardiser), schedule));
  });
  return { panels: kept, samples };
}

/** Every state of a few points, as `[paths, times, D]` with the t of each time. */
export async function recordPaths(
  { model }: OpenRun,
  choice: SamplerChoice,
  watch: Watch,
): Promise<{ readonly paths: FloatTensor; readonly timesteps: number[] }> {
  const width = model.columns.length;
  const times = choice.steps + 1;
  const paths = new Float32Array(watch.count * times * width);
  const timesteps: number[] = [];
  await watched(model, choice, watch, (state, t, done) => {
    const { data } = unstandardise(state, model.standardiser);
    for (let path = 0; path < watch.count; path++) {
      paths.set(data.subarray(path * width, (path + 1) * width), (path * times + done) * width);
    }
    timesteps.push(t);
  });
  return { paths: floatTensor(paths, [watch.count, times, width]), timesteps };
}

/** Runs a sampler and shows each state x_t, standardised, from t = T to t = 0. */
async function watched(
  model: PointModel,
  choice: SamplerChoice,
  { onProgress, ...options }: Watch,
  show: (state: FloatTensor, t: number, done: number) => void,
): Promise<FloatTensor> {
  return sample(model, {
    ...options,
    ...choice.options,
    sampler: choice.sampler,
    onStep: ({ index, step, previousStep, xt, xPrevious }) => {
      if (index === 0) show(xt, step + 1, 0);
      show(xPrevious, previousStep + 1, index + 1);
      onProgress?.(index + 1);
    },
  });
}
