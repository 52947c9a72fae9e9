import { UnnoiseError, at } from "../math/error.ts";
import { sameShape, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import {
  sampleWidth,
  type Sampler,
  type SamplerOptions,
  type SamplerStep,
  type SamplingMethod,
  type StepCoefficients,
} from "./sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";
import { explicitSteps, trailingSteps } from "./steps.ts";

const finite = Number.isFinite;

/** Turns a method's coefficients into a sampler: the one loop that all of them share. */
export function samplerOf(method: SamplingMethod): Sampler {
  return (options) => {
    checkOptions(options);
    return samplingLoop(method, options, resolveSteps(options));
  };
}

async function* samplingLoop(
  method: SamplingMethod,
  options: SamplerOptions,
  steps: Int32Array,
): AsyncGenerator<SamplerStep, FloatTensor> {
  const { schedule, denoiser } = options;
  const z = new Float32Array(sizeOf(options.shape));
  let xt = options.start ?? drawStart(options);
  for (let index = 0; index < steps.length; index++) {
    const step = at(steps, index);
    const previousStep = steps[index + 1] ?? -1;
    const where = `${method.name}: step ${step} (${index + 1} of ${steps.length})`;
    checkSignal(options.signal, where);
    const eps = await denoiser(xt, step);
    checkPrediction(eps, xt, where);
    const coefficients = method.coefficients(schedule, step, previousStep);
    drawStepNoise(z, coefficients, options, step);
    const moved = transition(xt, eps, z, coefficients, schedule, step, options.clip);
    checkFinite(moved, eps, where);
    yield { index, count: steps.length, step, previousStep, xt, ...moved.tensors };
    xt = moved.tensors.xPrevious;
  }
  return xt;
}

interface Transition {
  readonly tensors: Pick<SamplerStep, "x0" | "eps" | "xPrevious">;
  /** Sum of x_s: finite exactly when every value is, because float64 holds any sum of that many finite float32. */
  readonly sum: number;
}

/** x_s = k.xt x_t + k.x0 x̂_0 + k.eps ε + k.noise z with x̂_0 = (x_t − √(1 − ᾱ_t) ε)/√ᾱ_t, element by element. */
function transition(
  xt: FloatTensor,
  eps: FloatTensor,
  z: Float32Array,
  k: StepCoefficients,
  schedule: NoiseSchedule,
  step: number,
  clip: SamplerOptions["clip"],
): Transition {
  const signalScale = Math.sqrt(alphaCumprodAt(schedule, step));
  const noiseScale = Math.sqrt(noiseVarianceAt(schedule, step));
  const [low, high] = clip ?? [-Infinity, Infinity];
  const { shape, data: x } = xt;
  const x0 = new Float32Array(x.length);
  const usedEps = clip === undefined ? eps.data : new Float32Array(x.length);
  const xPrevious = new Float32Array(x.length);
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const xi = x[i] as number;
    let e = eps.data[i] as number;
    let data = (xi - noiseScale * e) / signalScale;
    if (data < low || data > high) {
      data = data < low ? low : high;
      e = (xi - signalScale * data) / noiseScale;
    }
    x0[i] = data;
    if (clip !== undefined) usedEps[i] = e;
    xPrevious[i] = k.xt * xi + k.x0 * data + k.eps * e + k.noise * (z[i] as number);
    sum += xPrevious[i] as number;
  }
  const tensor = (data: Float32Array): FloatTensor => ({ dtype: "float32", shape, data });
  return { tensors: { x0: tensor(x0), eps: tensor(usedEps), xPrevious: tensor(xPrevious) }, sum };
}

function drawStart(options: SamplerOptions): FloatTensor {
  const data = new Float32Array(sizeOf(options.shape));
  options.noise.start.normals(data, sampleWidth(options.shape), options.firstIndex ?? 0, 0);
  return { dtype: "float32", shape: options.shape, data };
}

function drawStepNoise(z: Float32Array, k: StepCoefficients, options: SamplerOptions, step: number): void {
  if (k.noise === 0) z.fill(0);
  else options.noise.steps.normals(z, sampleWidth(options.shape), options.firstIndex ?? 0, step);
}

function resolveSteps({ schedule, steps = schedule.timesteps }: SamplerOptions): Int32Array {
  return typeof steps === "number"
    ? trailingSteps(schedule.timesteps, steps)
    : explicitSteps(schedule.timesteps, steps);
}

function checkOptions({ shape, start, firstIndex = 0, clip }: SamplerOptions): void {
  if (shape.length === 0 || !shape.every((extent) => Number.isInteger(extent) && extent >= 1)) {
    throw new UnnoiseError("usage", `shape: expected [count, …] of integers ≥ 1, got [${shape.join(", ")}]`);
  }
  if (start !== undefined && !sameShape(start.shape, shape)) {
    throw new UnnoiseError("usage", `start: expected shape [${shape.join(", ")}], got [${start.shape.join(", ")}]`);
  }
  if (!Number.isInteger(firstIndex) || firstIndex < 0) {
    throw new UnnoiseError("usage", `firstIndex: expected an integer ≥ 0, got ${firstIndex}`);
  }
  if (clip !== undefined && !(clip[0] < clip[1])) {
    throw new UnnoiseError("usage", `clip: expected [low, high] with low < high, got [${clip.join(", ")}]`);
  }
}

function checkSignal(signal: AbortSignal | undefined, where: string): void {
  if (signal?.aborted !== true) return;
  throw new UnnoiseError("interrupted", `${where}: stopped as asked before this step`, { cause: signal.reason });
}

function checkPrediction(eps: FloatTensor, xt: FloatTensor, where: string): void {
  if (sameShape(eps.shape, xt.shape)) return;
  const [expected, got] = [xt.shape.join(", "), eps.shape.join(", ")];
  throw new UnnoiseError("data", `${where}: the denoiser must return shape [${expected}], got [${got}]`);
}

function checkFinite(moved: Transition, eps: FloatTensor, where: string): void {
  if (finite(moved.sum)) return;
  const blame = eps.data.every(finite) ? "the sample has overflowed" : "the denoiser returned NaN or infinity";
  throw new UnnoiseError("not-finite", `${where}: ${blame}; check the model's training, or clip x̂_0`);
}
