import { sizeOf, type FloatTensor, type Shape } from "../tensor/tensor.ts";
import type { SamplerNoise } from "./noise.ts";
import type { NoiseSchedule } from "./schedule.ts";

/**
 * Predicts the noise ε_θ(x_t, t) in a whole batch: a trained network, or an oracle.
 * @param xt `[count, …D]`, not to be changed
 * @param step 0…T−1
 * @returns ε `[count, …D]`
 */
export type Denoiser = (xt: FloatTensor, step: number) => FloatTensor | Promise<FloatTensor>;

/** One transition of a sampler, from `step` down to `previousStep`. All tensors are `[count, …D]`. */
export interface SamplerStep {
  /** Position of this transition, 0…count−1. */
  readonly index: number;
  /** Number of transitions in the run. */
  readonly count: number;
  /** t, in 0…T−1. */
  readonly step: number;
  /** s, in −1…T−2; −1 is the data. */
  readonly previousStep: number;
  /** x_t. */
  readonly xt: FloatTensor;
  /** x̂_0 as the sampler used it, clipped if asked. */
  readonly x0: FloatTensor;
  /** ε as the sampler used it; the denoiser's own tensor unless clipped, so copy it to keep it if the denoiser reuses it. */
  readonly eps: FloatTensor;
  /** x_s. */
  readonly xPrevious: FloatTensor;
}

/** What every sampler takes. */
export interface SamplerOptions {
  readonly denoiser: Denoiser;
  readonly schedule: NoiseSchedule;
  /** `[count, …D]`, each extent ≥ 1. */
  readonly shape: Shape;
  /** Where x_T and z come from, e.g. `seededNoise(7)`. */
  readonly noise: SamplerNoise;
  /** A number N of steps, spaced by `trailingSteps`, or the steps themselves; all T steps if absent. */
  readonly steps?: number | ArrayLike<number>;
  /** Index of the first row's sample, for runs in chunks; 0 if absent. */
  readonly firstIndex?: number;
  /** x_T `[count, …D]` to start from instead of drawn noise. */
  readonly start?: FloatTensor;
  /** Range [low, high] to clip x̂_0 to, with ε re-derived from it; no clipping if absent. */
  readonly clip?: readonly [low: number, high: number];
  /** Stops the run before the next step. */
  readonly signal?: AbortSignal;
}

/**
 * Walks from noise to data: yields after each step and returns the sample `[count, …D]`.
 * @throws UnnoiseError `usage` at once for wrong options; while it runs, `interrupted` after `signal`, `not-finite` when
 * values overflow or the denoiser gives NaN, `data` when the denoiser's shape is wrong
 */
export type Sampler = (options: SamplerOptions) => AsyncGenerator<SamplerStep, FloatTensor>;

/** Weights of one transition: x_s = xt·x_t + x0·x̂_0 + eps·ε + noise·z. Each is float64. */
export interface StepCoefficients {
  readonly xt: number;
  readonly x0: number;
  readonly eps: number;
  /** Standard deviation of the fresh noise; no noise is drawn at 0. */
  readonly noise: number;
}

/** A sampler as data: its name, and the weights of its transition from `step` to `previousStep`. */
export interface SamplingMethod {
  readonly name: string;
  readonly coefficients: (schedule: NoiseSchedule, step: number, previousStep: number) => StepCoefficients;
}

/**
 * Runs a sampler to its end.
 * @param onStep called after each step
 * @returns the sample `[count, …D]`
 * @throws what the sampler throws
 */
export async function finalSample(
  steps: AsyncGenerator<SamplerStep, FloatTensor>,
  onStep?: (step: SamplerStep) => void,
): Promise<FloatTensor> {
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return next.value;
    onStep?.(next.value);
  }
}

/** Number of values in one sample of a batch `[count, …D]`. */
export function sampleWidth(shape: Shape): number {
  return sizeOf(shape.slice(1));
}
