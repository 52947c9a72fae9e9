import { UnnoiseError, at } from "../math/error.ts";
import { RunningMean, meanOf } from "../math/running-mean.ts";
import { sameShape, shapeText, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { adamsWeights } from "./adams.ts";
import type { NegativeLogLikelihood } from "./bound.ts";
import { gaussianLogDensity } from "./decoder.ts";
import type { NoiseSource } from "./noise.ts";
import { conversionBetween, type Parameterisation } from "./parameterisation.ts";
import { sampleWidth } from "./sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";
import { explicitSteps, trailingSteps } from "./steps.ts";

/** What a network predicts, with the derivative that a likelihood needs. All tensors are `[B, …D]`. */
export interface PredictionWithVjp {
  readonly parameterisation: Parameterisation;
  readonly output: FloatTensor;
  /** Jᵀv, row by row, where J = ∂output/∂x_t. */
  readonly vjp: FloatTensor;
}

/**
 * Predicts at one step for a whole batch, and multiplies the Jacobian of the prediction.
 * @param xt `[B, …D]`, not to be changed
 * @param step 0…T−1
 * @param v `[B, …D]`
 */
export type DenoiserWithVjp = (
  xt: FloatTensor,
  step: number,
  v: FloatTensor,
) => PredictionWithVjp | Promise<PredictionWithVjp>;

/** Random probes for Hutchinson's estimate of a trace: E vᵀJv = tr J for signs v. */
export interface HutchinsonProbes {
  /** Probes for each row, ≥ 1; from 2 on their standard error is known. */
  readonly probes: number;
  /** Where the signs come from, e.g. `new Random(7, "bound")`. */
  readonly noise: NoiseSource;
}

/** What `odeLikelihood` takes. */
export interface OdeLikelihoodOptions {
  readonly denoiser: DenoiserWithVjp;
  readonly schedule: NoiseSchedule;
  /** x_0 `[N, …D]`, N ≥ 1, standardised. */
  readonly x0: FloatTensor;
  /** How tr ∂v/∂x is found: by D unit vectors, `exact`, or by random probes. */
  readonly trace: "exact" | HutchinsonProbes;
  /** A number of steps, spaced by `trailingSteps`, or the steps themselves; all T if absent. */
  readonly steps?: number | ArrayLike<number>;
  /** Order of the integration, 1…4; 3 if absent: beyond it nothing is won at T = 1000, and few steps become unstable. */
  readonly order?: number;
  /** Standard deviation of each of the D columns before the data were standardised; 1 if absent. */
  readonly scale?: ArrayLike<number>;
  /** Rows for each call of the denoiser; 4096 if absent. */
  readonly batchRows?: number;
  /** Index of the first row's probes, for runs in parts; 0 if absent. */
  readonly firstIndex?: number;
  readonly signal?: AbortSignal;
  /** Called with the share of the work that is done, in 0…1. */
  readonly onProgress?: (share: number) => void;
}

/** −log p of each row by the probability-flow ODE. */
export interface OdeLikelihood extends NegativeLogLikelihood {
  /** Standard error of each row's value that its random probes leave: 0 for the exact trace, NaN for a single probe. */
  readonly probeErrors: Float64Array;
}

/**
 * log p(x_0) by the probability-flow ODE (Song et al. 2021, eq. 39, arXiv 2011.13456). With the angle φ of √ᾱ_t = cos φ and √(1 −
 * ᾱ_t) = sin φ as its time it reads dx/dφ = v_θ(x_t, t), v = √ᾱ ε − √(1 − ᾱ) x_0, along which d log p/dφ = −tr ∂v_θ/∂x_t. Integrated
 * over the steps asked by Adams' predictor and corrector, one evaluation a step, up to x_T ~ N(0, I).
 *
 * It starts at the first step, not at the data, where the network knows nothing: the result is the density, at x_0, of the data
 * with noise of σ = √((1 − ᾱ)/ᾱ) of that step.
 * @returns nats for a whole sample, in standardised units
 * @throws UnnoiseError `usage` for options out of range, `interrupted` after `signal`, `data` for a wrong shape, `not-finite`
 */
export async function odeLikelihood(options: OdeLikelihoodOptions): Promise<OdeLikelihood> {
  const { x0, batchRows = 4096, onProgress } = options;
  const width = sampleWidth(x0.shape);
  const rows = x0.shape[0] ?? 0;
  checkOptions(options, rows, width);
  const steps = stepsOf(options);
  const rowTotals = new Float64Array(rows);
  const probeErrors = new Float64Array(rows);
  for (let first = 0; first < rows; first += batchRows) {
    const count = Math.min(batchRows, rows - first);
    const flow = new Flow(options, steps, first, count);
    await flow.run((share) => onProgress?.((first + count * share) / rows));
    flow.write(rowTotals.subarray(first, first + count), probeErrors.subarray(first, first + count));
  }
  if (!rowTotals.every(Number.isFinite)) {
    throw new UnnoiseError("not-finite", "likelihood: the ODE has overflowed; check the model's training");
  }
  const logScale = Array.from(options.scale ?? []).reduce((sum, value) => sum + Math.log(value), 0);
  return { rows, width, logScale, total: meanOf(rowTotals), rowTotals, probeErrors };
}

/** v and its traces at one φ. */
interface Slope {
  readonly angle: number;
  /** `[B·D]` */
  readonly v: Float64Array;
  /** zᵀ(∂v/∂x_t)z for each probe z, `[probes, B]`; the whole trace, `[1, B]`, where it is exact. */
  readonly traces: Float64Array;
}

/** φ in (0, π/2]. */
function angleAt(schedule: NoiseSchedule, step: number): number {
  return Math.atan2(Math.sqrt(noiseVarianceAt(schedule, step)), Math.sqrt(alphaCumprodAt(schedule, step)));
}

/** The way of some rows through the ODE. */
class Flow {
  readonly #options: OdeLikelihoodOptions;
  readonly #steps: readonly number[];
  readonly #shape: readonly number[];
  readonly #width: number;
  readonly #probes: readonly FloatTensor[];
  /** x_t `[B·D]`. */
  #x: Float64Array;
  /** ∫ tr ∂v/∂x_t dφ so far, laid out as the traces of a slope. */
  #volume: Float64Array;

  constructor(options: OdeLikelihoodOptions, steps: readonly number[], first: number, count: number) {
    this.#options = options;
    this.#steps = steps;
    this.#shape = [count, ...options.x0.shape.slice(1)];
    this.#width = sampleWidth(this.#shape);
    this.#probes = probesOf(options, this.#shape, first);
    const signal = Math.sqrt(alphaCumprodAt(options.schedule, at(steps, 0)));
    const rows = options.x0.data.subarray(first * this.#width, (first + count) * this.#width);
    this.#x = Float64Array.from(rows, (value) => signal * value);
    this.#volume = new Float64Array(this.#traceRows * count);
  }

  async run(onProgress: (share: number) => void): Promise<void> {
    const { order = 3, schedule } = this.#options;
    let past: Slope[] = [];
    for (const [index, step] of this.#steps.entries()) {
      const angle = angleAt(schedule, step);
      const from = past[0]?.angle ?? angle;
      if (alphaCumprodAt(schedule, step) > 0) {
        const slope = await this.#slope(advanced(this.#x, past, "v", from, angle), step, angle);
        past = [slope, ...past].slice(0, order);
      }
      this.#x = advanced(this.#x, past, "v", from, angle);
      this.#volume = advanced(this.#volume, past, "traces", from, angle);
      onProgress((index + 1) / this.#steps.length);
    }
  }

  /** −log p of each row: the mean over its probes, and how far that may be off. */
  write(totals: Float64Array, errors: Float64Array): void {
    const ofScale = (this.#width / 2) * Math.log(alphaCumprodAt(this.#options.schedule, at(this.#steps, 0)));
    for (let row = 0; row < totals.length; row++) {
      let logPrior = 0;
      for (let i = row * this.#width; i < (row + 1) * this.#width; i++) {
        logPrior += gaussianLogDensity(this.#x[i] as number, 0, 0);
      }
      const volume = new RunningMean();
      for (let k = row; k < this.#volume.length; k += totals.length) volume.add(this.#volume[k] as number);
      totals[row] = -logPrior - volume.mean - ofScale;
      errors[row] = this.#options.trace === "exact" ? 0 : volume.estimate().standardError;
    }
  }

  get #traceRows(): number {
    return this.#options.trace === "exact" ? 1 : this.#probes.length;
  }

  async #slope(x: Float64Array, step: number, angle: number): Promise<Slope> {
    const { schedule, denoiser, signal } = this.#options;
    const xt: FloatTensor = { dtype: "float32", shape: this.#shape, data: Float32Array.from(x) };
    const traces = new Float64Array(this.#volume.length);
    let v = new Float64Array(0);
    for (const [k, probe] of this.#probes.entries()) {
      checkSignal(signal, step);
      const { parameterisation, output, vjp } = await denoiser(xt, step, probe);
      checkShapes(output, vjp, xt, step);
      const form = conversionBetween(parameterisation, "v", schedule, step);
      if (k === 0) v = x.map((value, i) => form.xt * value + form.output * (output.data[i] as number));
      const offset = this.#traceRows === 1 ? 0 : k * at(this.#shape, 0);
      for (let i = 0; i < x.length; i++) {
        const z = probe.data[i] as number;
        if (z === 0) continue;
        const row = offset + Math.floor(i / this.#width);
        traces[row] = (traces[row] as number) + z * (form.xt * z + form.output * (vjp.data[i] as number));
      }
    }
    return { angle, v, traces };
  }
}

/** y + ∫ f dφ from one φ to another, f a polynomial through the slopes. */
function advanced(
  y: Float64Array,
  slopes: readonly Slope[],
  what: "v" | "traces",
  from: number,
  to: number,
): Float64Array {
  const angles = slopes.map(({ angle }) => angle);
  const weights = adamsWeights(angles, from, to);
  const out = y.slice();
  for (const [k, slope] of slopes.entries()) {
    const weight = at(weights, k);
    const f = slope[what];
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + weight * (f[i] as number);
  }
  return out;
}

/** D unit vectors, or random signs, for every row. */
function probesOf(options: OdeLikelihoodOptions, shape: readonly number[], first: number): FloatTensor[] {
  const { trace, firstIndex = 0 } = options;
  const width = sampleWidth(shape);
  const count = trace === "exact" ? width : trace.probes;
  return Array.from({ length: count }, (_, k) => {
    const data = new Float32Array(sizeOf(shape));
    if (trace === "exact") for (let i = k; i < data.length; i += width) data[i] = 1;
    else {
      trace.noise.normals(data, width, firstIndex + first, k);
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) < 0 ? -1 : 1;
    }
    return { dtype: "float32", shape, data };
  });
}

/** Ascending. A last step with ᾱ = 0 needs one before it, from which it is reached. */
function stepsOf({ schedule, steps = schedule.timesteps }: OdeLikelihoodOptions): number[] {
  const { timesteps } = schedule;
  const descending = typeof steps === "number" ? trailingSteps(timesteps, steps) : explicitSteps(timesteps, steps);
  const ascending = Array.from(descending).reverse();
  if (alphaCumprodAt(schedule, at(ascending, 0)) > 0) return ascending;
  throw new UnnoiseError("usage", "likelihood: expected a step with ᾱ > 0, got none");
}

function checkOptions(options: OdeLikelihoodOptions, rows: number, width: number): void {
  const { trace, order = 3, batchRows = 4096, scale } = options;
  const wrong = (what: string, expected: string, got: unknown): UnnoiseError =>
    new UnnoiseError("usage", `likelihood: ${what}: expected ${expected}, got ${String(got)}`);
  if (rows < 1 || width < 1) throw wrong("x0", "[N ≥ 1, …D ≥ 1]", shapeText(options.x0.shape));
  if (!Number.isInteger(order) || order < 1 || order > 4) throw wrong("order", "an integer in 1…4", order);
  if (!Number.isInteger(batchRows) || batchRows < 1) throw wrong("batchRows", "an integer ≥ 1", batchRows);
  if (trace !== "exact" && !(Number.isInteger(trace.probes) && trace.probes >= 1)) {
    throw wrong("probes", "an integer ≥ 1", trace.probes);
  }
  if (scale && !(scale.length === width && Array.from(scale).every((value) => value > 0))) {
    throw wrong("scale", `${width} numbers above 0`, `[${Array.from(scale).join(", ")}]`);
  }
}

function checkSignal(signal: AbortSignal | undefined, step: number): void {
  if (signal?.aborted !== true) return;
  throw new UnnoiseError("interrupted", `likelihood: stopped as asked at step ${step}`, { cause: signal.reason });
}

function checkShapes(output: FloatTensor, vjp: FloatTensor, xt: FloatTensor, step: number): void {
  const wrong = [output, vjp].find(({ shape }) => !sameShape(shape, xt.shape));
  if (!wrong) return;
  const [expected, got] = [shapeText(xt.shape), shapeText(wrong.shape)];
  throw new UnnoiseError("data", `likelihood: step ${step}: the denoiser must return shape ${expected}, got ${got}`);
}
