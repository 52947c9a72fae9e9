import { seededNoise } from "../diffusion/noise.ts";
import { finalSample, type Sampler, type SamplerOptions, type SamplerStep } from "../diffusion/sampler.ts";
import { ddpm } from "../diffusion/samplers/ddpm.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor, sameShape, shapeText, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { sampleShapeOf } from "./denoiser-spec.ts";
import { eventLoopPause } from "./event-loop.ts";
import {
  DenoiserSession,
  reverseVarianceOf,
  scheduleOf,
  type Condition,
  type DiffusionModel,
  type SessionOptions,
} from "./model.ts";

/** Samples that go through all steps together, where all at once would take too much memory. */
export interface SampleGroup {
  /** Number of its first sample. */
  readonly first: number;
  readonly count: number;
  /** Which of the groups it is, from 0. */
  readonly index: number;
  readonly groups: number;
}

/** What drawing from any model takes. */
export interface DrawOptions extends SessionOptions, Pick<SamplerOptions, "clip" | "threshold" | "epsAfterLimit"> {
  /** Number of samples, ≥ 1. */
  readonly count?: number;
  /** Default: ancestral sampling, `ddpm`, with the variance that the model was trained for. */
  readonly sampler?: Sampler;
  /** A number of steps, spaced evenly, or the steps themselves; all T by default. */
  readonly steps?: number | ArrayLike<number>;
  /** Integer in 0…2^53−1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called after each step, with tensors in the units of the model. */
  readonly onStep?: (step: SamplerStep, group: SampleGroup) => void;
}

/** What drawing takes beside, from those who call it. */
export interface DrawSetup extends Condition {
  readonly count: number;
  /** x_T [count, …D] to start from instead of drawn noise. */
  readonly start?: FloatTensor;
  /** Most samples in a group; all by default. */
  readonly groupSize?: number;
}

/**
 * Draws samples in the units of a model, group by group. A sample has the same bits in any group, among any others and for any count.
 * @returns [count, …D]
 * @throws UnnoiseError `usage` for an option out of range, `device` when the device is not available, `interrupted` after
 * `signal`, `not-finite` when the network gives NaN
 */
export async function drawSamples(model: DiffusionModel, options: DrawOptions, setup: DrawSetup): Promise<FloatTensor> {
  const drawn: FloatTensor[] = [];
  for await (const group of drawGroups(model, options, setup)) drawn.push(group);
  return joined(drawn, [setup.count, ...sampleShapeOf(model.denoiser)]);
}

/**
 * Draws samples as `drawSamples` does, and gives each group when it is drawn.
 * @returns of each group [n, …D]
 * @throws UnnoiseError as `drawSamples`
 */
export async function* drawGroups(
  model: DiffusionModel,
  options: DrawOptions,
  setup: DrawSetup,
): AsyncGenerator<FloatTensor> {
  const shape = [setup.count, ...sampleShapeOf(model.denoiser)];
  if (setup.start && !sameShape(setup.start.shape, shape)) {
    throw new UnnoiseError("usage", `start: expected shape ${shapeText(shape)}, got ${shapeText(setup.start.shape)}`);
  }
  const { device, threads, batch } = options;
  const session = new DenoiserSession(model, {
    ...(device && { device }),
    ...(threads && { threads }),
    ...(batch !== undefined && { batch }),
  });
  try {
    for (const group of groupsOf(setup)) yield await drawGroup(session, options, setup, group);
  } finally {
    await session.dispose();
  }
}

/** The fewest groups of at most `groupSize` samples, all but the last of one size. */
function groupsOf({ count, groupSize = count }: DrawSetup): SampleGroup[] {
  if (!Number.isInteger(count) || count < 1) {
    throw new UnnoiseError("usage", `count: expected an integer ≥ 1, got ${count}`);
  }
  const most = Math.min(count, Math.max(1, groupSize));
  const size = Math.ceil(count / Math.ceil(count / most));
  const groups = Math.ceil(count / size);
  return Array.from({ length: groups }, (_, index) => {
    const first = index * size;
    return { first, count: Math.min(size, count - first), index, groups };
  });
}

async function drawGroup(
  session: DenoiserSession,
  options: DrawOptions,
  { labels, guidance, start }: DrawSetup,
  group: SampleGroup,
): Promise<FloatTensor> {
  const { model } = session;
  const { steps, seed = 0, signal, onStep, clip, threshold, epsAfterLimit } = options;
  const { sampler = ddpm({ variance: reverseVarianceOf(model) }) } = options;
  const pause = eventLoopPause();
  const end = group.first + group.count;
  const denoiser = session.conditioned({
    ...(labels && { labels: labels.subarray(group.first, end) }),
    ...(guidance !== undefined && { guidance }),
  });
  const walk = sampler({
    denoiser: async (xt, step) => {
      await pause();
      return denoiser(xt, step);
    },
    schedule: scheduleOf(model),
    shape: [group.count, ...sampleShapeOf(model.denoiser)],
    noise: seededNoise(seed),
    firstIndex: group.first,
    ...(start && { start: rowsOf(start, group) }),
    ...(steps === undefined ? {} : { steps }),
    ...(clip && { clip }),
    ...(threshold && { threshold }),
    ...(epsAfterLimit && { epsAfterLimit }),
    ...(signal && { signal }),
  });
  return finalSample(walk, onStep && ((step) => onStep(step, group)));
}

function rowsOf({ data, shape }: FloatTensor, { first, count }: SampleGroup): FloatTensor {
  const width = sizeOf(shape.slice(1));
  return floatTensor(data.subarray(first * width, (first + count) * width), [count, ...shape.slice(1)]);
}

function joined(parts: readonly FloatTensor[], shape: readonly number[]): FloatTensor {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const data = new Float32Array(sizeOf(shape));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return floatTensor(data, shape);
}
