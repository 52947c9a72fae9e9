import { readFileSync } from "node:fs";
import { at } from "../src/math/error.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../src/tensor/tensor.ts";
import type { NoiseSource, SamplerNoise } from "../src/diffusion/noise.ts";
import type { Denoiser, LearnedVariance, Sampler, SamplerOptions, SamplerStep } from "../src/diffusion/sampler.ts";
import { alphaCumprodAt, linearSchedule, type NoiseSchedule } from "../src/diffusion/schedule.ts";

/** One run of a scheduler of diffusers, as the generators in test/golden write it. */
export interface Trajectory {
  readonly sampler: string;
  readonly prediction?: keyof typeof predictions;
  readonly spacing: "leading" | "trailing" | "linspace";
  readonly T: number;
  readonly N: number;
  /** ±clip for x̂_0. */
  readonly clip?: number;
  /** Of dynamic thresholding, with `max`. */
  readonly quantile?: number;
  readonly max?: number;
  readonly eps?: "kept" | "rederived";
  readonly until?: number;
  /** Null where they are the spacing's own. */
  readonly steps: readonly number[] | null;
  /** Positions of the states kept here. */
  readonly kept: readonly number[];
  /** `[4, 2]` each; null where not finite. */
  readonly states: readonly (readonly number[] | null)[];
}

const predictions = { epsilon: "eps", sample: "x0", v_prediction: "v" } as const;

export const goldenShape: readonly number[] = [4, 2];
const START_STEP = 100_000;

/** Reads a file of test/golden. */
export function readGolden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), "utf8"));
}

/** The generators' hash32: the same integers in both languages. */
function hash32(i: number, step: number): number {
  let h = (Math.imul(i, 0x9e3779b1) + Math.imul(step, 0x85ebca77) + 0x165667b1) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** The generators' noise of a step. */
export function hashNoise(out: Float32Array, step: number): void {
  for (let i = 0; i < out.length; i++) out[i] = (hash32(i, step) / 2 ** 32 - 0.5) * Math.sqrt(12);
}

const hashSource = (address: (step: number) => number): NoiseSource => ({
  normals: (out, _width, _firstIndex, step) => {
    hashNoise(out, address(step));
  },
});
export const goldenNoise: SamplerNoise = { start: hashSource(() => START_STEP), steps: hashSource((step) => step) };

type Wave = (x: number, phase: number, abar: number) => number;
const outputs: Record<keyof typeof predictions, Wave> = {
  epsilon: (x, phase, abar) => Math.sqrt(1 - abar) * x + 0.5 * Math.sqrt(abar) * Math.sin(2 * x + phase),
  sample: (x, phase) => 0.9 * Math.sin(2 * x + phase),
  v_prediction: (x, phase, abar) => 0.4 * Math.sqrt(1 - abar) * x + 0.5 * Math.sin(2 * x + phase),
};
const variances: Record<LearnedVariance["kind"], Wave> = {
  range: (x, phase) => Math.cos(3 * x + phase),
  free: (x, phase) => 0.5 * Math.cos(3 * x + phase) - 4,
};

/** The generators' denoiser. */
export function fixedDenoiser(
  schedule: NoiseSchedule,
  prediction: keyof typeof predictions = "epsilon",
  variance?: LearnedVariance["kind"],
): Denoiser {
  return (xt, step) => {
    const [abar, phase] = [alphaCumprodAt(schedule, step), (3 * step) / schedule.timesteps];
    const apply = (wave: Wave): FloatTensor =>
      floatTensor(
        xt.data.map((x) => wave(x, phase, abar)),
        xt.shape,
      );
    return {
      parameterisation: predictions[prediction],
      output: apply(outputs[prediction]),
      ...(variance && { variance: { kind: variance, output: apply(variances[variance]) } }),
    };
  };
}

/** The run that a trajectory is compared with. */
export async function replay(
  golden: Trajectory,
  sampler: Sampler,
  steps: ArrayLike<number>,
  options: Partial<SamplerOptions> = {},
): Promise<SamplerStep[]> {
  const schedule = linearSchedule({ timesteps: golden.T });
  const { clip, quantile, max = 1, eps, until = -1 } = golden;
  const seen: SamplerStep[] = [];
  const run = sampler({
    denoiser: fixedDenoiser(schedule, golden.prediction),
    schedule,
    shape: goldenShape,
    noise: goldenNoise,
    steps,
    until,
    ...(clip !== undefined && { clip: [-clip, clip] as const }),
    ...(quantile !== undefined && { threshold: { quantile, max } }),
    ...(eps && { epsAfterLimit: eps }),
    ...options,
  });
  for await (const step of run) seen.push(step);
  return seen;
}

/** Largest difference between our states and the kept ones of diffusers, over kept positions before `end`. */
export function largestGap(seen: readonly SamplerStep[], { kept, states }: Trajectory, end: number = Infinity): number {
  const gaps = kept.map((position, k) => {
    const [ours, theirs] = [at(seen, position).xPrevious.data, at(states, k)];
    if (theirs?.length !== sizeOf(goldenShape)) return NaN;
    return position < end ? Math.max(...theirs.map((x, i) => Math.abs(x - (ours[i] ?? NaN)))) : 0;
  });
  return Math.max(...gaps);
}
