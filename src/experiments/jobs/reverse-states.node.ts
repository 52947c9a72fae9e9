import { standardise, unstandardise } from "../../data/standardise.ts";
import { chooseSampler } from "../../diffusion/sampler-choice.ts";
import { finalSample } from "../../diffusion/sampler.ts";
import { seededNoise } from "../../diffusion/noise.ts";
import { at, invariant } from "../../math/error.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { evaluationData } from "../../train/evaluation-data.node.ts";
import type { JobKind } from "../job.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";

/** Which states of ancestral sampling are kept. */
export interface ReverseStatesConfig {
  /** t in 1…T at which x_t and x̂_0 are kept, descending. */
  readonly times: readonly number[];
  readonly count: number;
  readonly seed: number;
}

/** What the states are of. */
export interface ReverseStatesValues {
  readonly columns: readonly string[];
  /** ᾱ at each of the times. */
  readonly alphasCumprod: readonly number[];
  /** √(E‖x̂_0(t) − x_0‖²/D) over the points, standardised, at each of the times: how far what is foreseen is from what comes. */
  readonly surprise: readonly number[];
}

/**
 * All steps of ancestral sampling: leaves `xt` and `x0` `[times, count, D]`, the `ends` `[count, D]`, and as many points of `data`, all in
 * the units of the data. Needs train.
 */
export const reverseStatesKind: JobKind<ReverseStatesConfig, ReverseStatesValues> = {
  name: "reverse-states",
  version: 1,
  seconds: ({ count }, needs) => 0.3 + count * trainingOf(needs).timesteps * secondsOfRow(trainingOf(needs)),
  run: async ({ times, count, seed }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { model, schedule } = run;
    const { sampler, options } = chooseSampler({ sampler: "ddpm", steps: schedule.timesteps }, run);
    const shape = [count, model.columns.length];
    const [xt, x0] = [new Map<number, FloatTensor>(), new Map<number, FloatTensor>()];
    const ends = await withDenoiser(run, (denoiser) =>
      finalSample(sampler({ ...options, denoiser, schedule, shape, noise: seededNoise(seed), signal }), (step) => {
        onShare((step.index + 1) / step.count);
        const t = step.step + 1;
        if (!times.includes(t)) return;
        xt.set(t, unstandardise(step.xt, model.standardiser));
        x0.set(t, unstandardise(step.x0, model.standardiser));
      }),
    );
    const data = unstandardise((await evaluationData(run, { count, seed, oracle: false })).x0, model.standardiser);
    const foreseen = inOrder(x0, times);
    const values = {
      columns: model.columns,
      alphasCumprod: times.map((t) => at(schedule.alphasCumprod, t - 1)),
      surprise: foreseen.map((each) => rootMeanSquare(standardise(each, model.standardiser), ends)),
    };
    const arrays = { xt: stacked(inOrder(xt, times)), x0: stacked(foreseen), data };
    return { values, arrays: { ...arrays, ends: unstandardise(ends, model.standardiser) } };
  },
};

function inOrder(byTime: ReadonlyMap<number, FloatTensor>, times: readonly number[]): FloatTensor[] {
  return times.map((t) => {
    const found = byTime.get(t);
    invariant(found, `no state at t = ${t}`);
    return found;
  });
}

function stacked(parts: readonly FloatTensor[]): FloatTensor {
  const { shape, data } = at(parts, 0);
  const out = new Float32Array(parts.length * data.length);
  parts.forEach((part, index) => out.set(part.data, index * data.length));
  return floatTensor(out, [parts.length, ...shape]);
}

function rootMeanSquare(a: FloatTensor, b: FloatTensor): number {
  const squares = a.data.reduce((sum, value, i) => sum + (value - at(b.data, i)) ** 2, 0);
  return Math.sqrt(squares / a.data.length);
}
