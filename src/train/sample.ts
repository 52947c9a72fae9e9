import { unstandardise } from "../data/standardise.ts";
import { seededNoise } from "../diffusion/noise.ts";
import { finalSample, type Sampler, type SamplerOptions, type SamplerStep } from "../diffusion/sampler.ts";
import { ddpm } from "../diffusion/samplers/ddpm.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import { eventLoopPause } from "./event-loop.ts";
import { sampleShapeOf } from "./denoiser-spec.ts";
import { DenoiserSession, reverseVarianceOf, scheduleOf, type PointModel } from "./model.ts";

export interface SampleOptions extends CompileOptions, Pick<SamplerOptions, "clip" | "threshold" | "epsAfterLimit"> {
  /** Number of samples, ≥ 1. */
  readonly count?: number;
  /** Default: ancestral sampling, `ddpm`, with the variance that the model was trained for. */
  readonly sampler?: Sampler;
  /** A number of steps, spaced evenly, or the steps themselves; all T by default. */
  readonly steps?: number | ArrayLike<number>;
  /** Integer in 0…2^53−1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called after each step, with tensors in standardised units. */
  readonly onStep?: (step: SamplerStep) => void;
}

/**
 * Draws samples from a model.
 * @returns points [count, D] in the units of the data
 * @throws UnnoiseError `usage` for an option out of range, `device` when the device is not available, `interrupted` after
 * `signal`, `not-finite` when the network gives NaN
 */
export async function sample(model: PointModel, options: SampleOptions = {}): Promise<FloatTensor> {
  const { count = 1000, steps, seed = 0, signal, onStep, ...rest } = options;
  const { sampler = ddpm({ variance: reverseVarianceOf(model) }), clip, threshold, epsAfterLimit, ...placement } = rest;
  const session = new DenoiserSession(model, placement);
  const pause = eventLoopPause();
  try {
    const walk = sampler({
      denoiser: async (xt, step) => {
        await pause();
        return session.predict(xt, step);
      },
      schedule: scheduleOf(model),
      shape: [count, ...sampleShapeOf(model.denoiser)],
      noise: seededNoise(seed),
      ...(steps === undefined ? {} : { steps }),
      ...(clip && { clip }),
      ...(threshold && { threshold }),
      ...(epsAfterLimit && { epsAfterLimit }),
      ...(signal && { signal }),
    });
    return unstandardise(await finalSample(walk, onStep), model.standardiser);
  } finally {
    await session.dispose();
  }
}
