import { sizeOf, type FloatTensor, type Shape } from "../tensor/tensor.ts";
import type { Term } from "./combine.ts";
import type { SamplerNoise } from "./noise.ts";
import type { Parameterisation } from "./parameterisation.ts";
import type { NoiseSchedule } from "./schedule.ts";

/**
 * What a network says about the variance of the reverse step: `range` is v in [−1, 1] between the posterior's variance and β
 * (Nichol & Dhariwal 2021, eq. 15, arXiv 2102.09672), `free` is log σ² itself, of the step t → t − 1. `output` is `[B, …D]`.
 */
export interface LearnedVariance {
  readonly kind: "range" | "free";
  readonly output: FloatTensor;
}

/** What a network predicts for a batch, when it is not plain ε. */
export interface Prediction {
  readonly parameterisation: Parameterisation;
  /** `[B, …D]` */
  readonly output: FloatTensor;
  readonly variance?: LearnedVariance;
}

/**
 * Predicts at one step for a whole batch: a trained network, or an oracle.
 * @param xt `[count, …D]`, not to be changed
 * @param step 0…T−1
 * @param rows where x_t was made of given data (the bound): which of them, row by row, so that each can be told its class
 * @returns ε `[count, …D]`, or a `Prediction` that says what it is
 */
export type Denoiser = (
  xt: FloatTensor,
  step: number,
  rows?: Int32Array,
) => Prediction | FloatTensor | Promise<Prediction | FloatTensor>;

/** A denoiser that gives ε at once: what oracles are. */
export type EpsDenoiser = (xt: FloatTensor, step: number) => FloatTensor;

/** One transition of a sampler, from `step` down to `previousStep`. All tensors are `[count, …D]`. */
export interface SamplerStep {
  /** Position of this transition, 0…count−1. */
  readonly index: number;
  /** Number of transitions in the run. */
  readonly count: number;
  /** t, in 0…T−1; an inversion starts at −1, the data. */
  readonly step: number;
  /** s, in −1…T−2; −1 is the data. An inversion goes up, to T−1; RePaint goes up now and then. */
  readonly previousStep: number;
  /** x_t, as the sampler used it: a corrector may have moved it. */
  readonly xt: FloatTensor;
  /** x̂_0 as the sampler used it, limited if asked. */
  readonly x0: FloatTensor;
  /** ε as the sampler used it; it may be the denoiser's own tensor, so copy it to keep it if the denoiser reuses it. */
  readonly eps: FloatTensor;
  /** x_s. */
  readonly xPrevious: FloatTensor;
}

/**
 * Dynamic thresholding (Saharia et al. 2022, section 2.3, arXiv 2205.11487): each sample's x̂_0 is clipped to ±s and divided by
 * s, where s is the `quantile` of its |x̂_0|, at least 1 and at most `max`. For data in [−1, 1].
 */
export interface DynamicThreshold {
  /** In (0, 1]; the paper uses 0.995. */
  readonly quantile: number;
  /** ≥ 1; Infinity if absent. */
  readonly max?: number;
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
  /** The step at which to stop, before all of `steps`: −1, the data, if absent. */
  readonly until?: number;
  /** Index of the first row's sample, for runs in chunks; 0 if absent. */
  readonly firstIndex?: number;
  /** x_T `[count, …D]` to start from instead of drawn noise. */
  readonly start?: FloatTensor;
  /** Range [low, high] to clip x̂_0 to; no clipping if absent. */
  readonly clip?: readonly [low: number, high: number];
  /** Dynamic thresholding of x̂_0, instead of `clip`. */
  readonly threshold?: DynamicThreshold;
  /**
   * ε after x̂_0 is clipped or thresholded: `rederived` from it, so that both agree with x_t (the default), or `kept` as
   * predicted, as diffusers does.
   */
  readonly epsAfterLimit?: "rederived" | "kept";
  /** Stops the run before the next step. */
  readonly signal?: AbortSignal;
}

/**
 * Walks from noise to data: yields after each step and returns the sample `[count, …D]`.
 * @throws UnnoiseError `usage` at once for wrong options; while it runs, `interrupted` after `signal`, `not-finite` when
 * values overflow or the denoiser gives NaN, `data` when the denoiser's shape is wrong
 */
export type Sampler = (options: SamplerOptions) => AsyncGenerator<SamplerStep, FloatTensor>;

/** What is known of x_t after the denoiser has been asked, limits applied. */
export interface Estimate {
  /** x̂_0 `[count, …D]`. */
  readonly x0: FloatTensor;
  /** ε `[count, …D]`. */
  readonly eps: FloatTensor;
  readonly variance?: LearnedVariance;
  /**
   * The sum a·x̂_0 + b·ε as terms for `weightedSum`: of x_t and the network's output, whose weights are float64, so that
   * x̂_0 = x_t/√ᾱ_t − … does not first lose digits to float32.
   */
  readonly terms: (a: number, b: number) => Term[];
}

/** Weights of one transition: x_s = xt·x_t + x0·x̂_0 + eps·ε + Σ_k earlier[k]·x̂_0⁽ᵏ⁾ + noise·z. Each is float64. */
export interface StepCoefficients {
  readonly xt: number;
  readonly x0: number;
  readonly eps: number;
  /** Weights of the x̂_0 of earlier steps, the latest first; none if absent. */
  readonly earlier?: readonly number[];
  /** Standard deviation of the fresh noise; no noise is drawn at 0. */
  readonly noise: number;
}

/** Weights of a corrected x_t, once its own x̂_0 is known: last·x_r + x0·x̂_0 + Σ_k earlier[k]·x̂_0⁽ᵏ⁾, where x_r was the state before. */
export interface CorrectorCoefficients {
  readonly last: number;
  readonly x0: number;
  readonly earlier: readonly number[];
}

/** A sampler of one evaluation a step as data: its name, and the weights of its transition from `step` to `previousStep`. */
export interface SamplingMethod {
  readonly name: string;
  /** Number of earlier x̂_0 that the weights refer to; 0 if absent. */
  readonly memory?: number;
  /**
   * @param earlier the steps evaluated before, the latest first, at most `memory` of them
   * @param remaining number of transitions after this one
   */
  readonly coefficients: (
    schedule: NoiseSchedule,
    step: number,
    previousStep: number,
    earlier: readonly number[],
    remaining: number,
  ) => StepCoefficients;
  /** Corrects x_t before the transition; asked from the second step on. */
  readonly corrector?: (
    schedule: NoiseSchedule,
    step: number,
    earlier: readonly number[],
    remaining: number,
  ) => CorrectorCoefficients;
  /** Standard deviation of z for each value `[count·D]`, where it depends on what the denoiser said. */
  readonly deviations?: (
    estimate: Estimate,
    schedule: NoiseSchedule,
    step: number,
    previousStep: number,
  ) => Float64Array;
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
