import type { NoiseSource, SamplerNoise } from "../../diffusion/noise.ts";
import type { Sampler, SamplerOptions, SamplerStep } from "../../diffusion/sampler.ts";
import { noiseVarianceAt } from "../../diffusion/schedule.ts";
import { scheduleFromSigmas } from "../../diffusion/schedules/sigmas.ts";
import { at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";

/** Noise levels that need not be those of the schedule's steps, the noisiest first. */
export interface Levels {
  /** σ = √((1 − ᾱ)/ᾱ), descending. */
  readonly sigmas: readonly number[];
  /** The step at which the network is asked at each of them. */
  readonly timesteps: ArrayLike<number>;
  /** The level at which to stop; 0 is the data. */
  readonly last: number;
}

/**
 * Runs a sampler at given noise levels: it walks a schedule that has these levels and no others, and the network is asked at the
 * timesteps that belong to them. Steps of the run are told as those timesteps.
 * @throws UnnoiseError `usage` for levels that do not fall
 */
export function atLevels(sampler: Sampler, { sigmas, timesteps, last }: Levels): Sampler {
  const ends = last > 0 ? 1 : 0;
  const schedule = scheduleFromSigmas([...(ends === 1 ? [last] : []), ...[...sigmas].reverse()]);
  const count = sigmas.length;
  const real = (step: number): number => (step < ends ? (step < 0 ? -1 : 0) : at(timesteps, count - 1 - step + ends));
  return async function* (options) {
    const run = sampler({
      ...options,
      schedule,
      denoiser: (xt, step) => options.denoiser(xt, real(step)),
      noise: {
        start: options.noise.start,
        steps: moved(options.noise.steps, options.schedule.timesteps, count + ends, real),
      },
      steps: Int32Array.from({ length: count }, (_, i) => count - 1 - i + ends),
      until: ends - 1,
    });
    return yield* mapped(run, (move) => ({ ...move, step: real(move.step), previousStep: real(move.previousStep) }));
  };
}

/** The draws of a real step for a step of the levels; `levels` of them are one draw. */
function moved(noise: NoiseSource, timesteps: number, levels: number, real: (step: number) => number): NoiseSource {
  return {
    normals: (out, width, firstIndex, address) => {
      const draw = Math.floor(address / levels);
      noise.normals(out, width, firstIndex, Math.max(0, real(address % levels)) + draw * timesteps);
    },
  };
}

async function* mapped(
  run: AsyncGenerator<SamplerStep, FloatTensor>,
  change: (step: SamplerStep) => SamplerStep,
): AsyncGenerator<SamplerStep, FloatTensor> {
  for (;;) {
    const next = await run.next();
    if (next.done === true) return next.value;
    yield change(next.value);
  }
}

/** Stops a sampler at step 0 instead of at the data. */
export function untilFirstStep(sampler: Sampler): Sampler {
  return (options) => sampler({ ...options, until: 0 });
}

/**
 * Starts as diffusers does where it works in x/√ᾱ with x_T = σ_T z: x_T = √(1 − ᾱ_T) z at the first of the steps, instead of z. A
 * given start is left as it is.
 * @param first the first step
 */
export function fromScaledNoise(sampler: Sampler, first: number): Sampler {
  return (options) => sampler({ ...options, noise: scaledStart(options, first) });
}

function scaledStart({ noise, schedule }: SamplerOptions, first: number): SamplerNoise {
  const scale = Math.sqrt(noiseVarianceAt(schedule, first));
  const normals: NoiseSource["normals"] = (out, width, firstIndex, step) => {
    noise.start.normals(out, width, firstIndex, step);
    out.forEach((value, i) => (out[i] = scale * value));
  };
  return { start: { normals }, steps: noise.steps };
}

/** Gives x/√ᾱ at the end of a run, as diffusers does where it works in it: more than x where the run stops before the data. */
export function endScaled(sampler: Sampler, scale: number): Sampler {
  return async function* (options) {
    const { dtype, shape, data } = yield* sampler(options);
    return { dtype, shape, data: data.map((value) => scale * value) };
  };
}
