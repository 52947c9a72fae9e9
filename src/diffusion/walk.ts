import { UnnoiseError } from "../math/error.ts";
import { sameShape, sizeOf, type FloatTensor, type Shape } from "../tensor/tensor.ts";
import type { Term } from "./combine.ts";
import { limitOf, type Limit } from "./limit.ts";
import { conversionOf, type Conversion, type LinearForm } from "./parameterisation.ts";
import { sampleWidth, type Estimate, type Prediction, type SamplerOptions, type SamplerStep } from "./sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

const finite = Number.isFinite;

/** One run of a sampler as its method sees it: the denoiser, checked and limited, and the noise. */
export class Walk {
  readonly schedule: NoiseSchedule;
  readonly shape: Shape;
  readonly #name: string;
  readonly #options: SamplerOptions;
  readonly #limit: Limit | undefined;
  #progress = "";

  constructor(name: string, options: SamplerOptions) {
    this.schedule = options.schedule;
    this.shape = options.shape;
    this.#name = name;
    this.#options = options;
    this.#limit = limitOf(options);
  }

  /** Says in later errors how far the run is. */
  enter({ index, count }: Pick<SamplerStep, "index" | "count">): void {
    this.#progress = ` (${index + 1} of ${count})`;
  }

  /**
   * Asks the denoiser: x̂_0 and ε at a step, x̂_0 limited as the run's options say.
   * @param xt `[count, …D]`
   * @param step 0…T−1
   * @param rows for the denoiser: which of the data x_t was made of
   * @throws UnnoiseError `interrupted` after the run's signal, `data` for a wrong shape, `not-finite` for NaN, `usage` where ε
   * or the score leave x̂_0 undetermined
   */
  async estimate(xt: FloatTensor, step: number, rows?: Int32Array): Promise<Estimate> {
    const where = `${this.#name}: step ${step}${this.#progress}`;
    checkSignal(this.#options.signal, where);
    const said = await this.#options.denoiser(xt, step, rows);
    const prediction: Prediction = "output" in said ? said : { parameterisation: "eps", output: said };
    checkShape(prediction.output, xt, where);
    const { parameterisation, output, variance } = prediction;
    const conversion = conversionOf(parameterisation, this.schedule, step);
    if (!finite(conversion.x0.xt)) throw undetermined(where, parameterisation);
    const x0 = apply(conversion.x0, xt, output);
    if (!finite(sumOf(x0.data))) throw notFinite(output, where);
    const learned = { ...(variance && { variance }) };
    if (this.#limit === undefined) {
      const eps = isOutput(conversion.eps) ? output : apply(conversion.eps, xt, output);
      return { x0, eps, ...learned, terms: (a, b) => termsOf(a, b, conversion, xt, output) };
    }
    this.#limit(x0.data, sampleWidth(x0.shape));
    const eps =
      this.#options.epsAfterLimit === "kept"
        ? apply(conversion.eps, xt, output)
        : rederivedEps(xt, x0, this.schedule, step);
    return {
      x0,
      eps,
      ...learned,
      terms: (a, b) => [
        [a, x0],
        [b, eps],
      ],
    };
  }

  /**
   * Standard normal draws of a step, one row for each sample.
   * @param step the step that is left; −1 counts as 0
   * @param draw number of the draw, for methods that need more than one in a step
   */
  normals(step: number, draw = 0): FloatTensor {
    const data = new Float32Array(sizeOf(this.shape));
    const address = Math.max(step, 0) + draw * this.schedule.timesteps;
    this.#options.noise.steps.normals(data, sampleWidth(this.shape), this.#options.firstIndex ?? 0, address);
    return { dtype: "float32", shape: this.shape, data };
  }
}

/** a·x̂_0 + b·ε in x_t and the output. */
function termsOf(a: number, b: number, { x0, eps }: Conversion, xt: FloatTensor, output: FloatTensor): Term[] {
  return [
    [a * x0.xt + b * eps.xt, xt],
    [a * x0.output + b * eps.output, output],
  ];
}

const isOutput = ({ xt, output }: LinearForm): boolean => xt === 0 && output === 1;

/** xt·x_t + output·o, in a new tensor. */
function apply({ xt: a, output: b }: LinearForm, xt: FloatTensor, output: FloatTensor): FloatTensor {
  const [x, o] = [xt.data, output.data];
  const data = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) data[i] = a * (x[i] as number) + b * (o[i] as number);
  return { dtype: "float32", shape: xt.shape, data };
}

/** ε = (x_t − √ᾱ_t x̂_0)/√(1 − ᾱ_t) */
function rederivedEps(xt: FloatTensor, x0: FloatTensor, schedule: NoiseSchedule, step: number): FloatTensor {
  const noise = Math.sqrt(noiseVarianceAt(schedule, step));
  return apply({ xt: 1 / noise, output: -Math.sqrt(alphaCumprodAt(schedule, step)) / noise }, xt, x0);
}

/** Finite exactly when every value is, because float64 holds any sum of that many finite float32. */
export function sumOf(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] as number;
  return sum;
}

function checkSignal(signal: AbortSignal | undefined, where: string): void {
  if (signal?.aborted !== true) return;
  throw new UnnoiseError("interrupted", `${where}: stopped as asked before this step`, { cause: signal.reason });
}

function checkShape(output: FloatTensor, xt: FloatTensor, where: string): void {
  if (sameShape(output.shape, xt.shape)) return;
  const [expected, got] = [xt.shape.join(", "), output.shape.join(", ")];
  throw new UnnoiseError("data", `${where}: the denoiser must return shape [${expected}], got [${got}]`);
}

function notFinite(output: FloatTensor, where: string): UnnoiseError {
  const blame = output.data.every(finite) ? "the sample has overflowed" : "the denoiser returned NaN or infinity";
  return new UnnoiseError("not-finite", `${where}: ${blame}; check the model's training, or clip x̂_0`);
}

function undetermined(where: string, parameterisation: string): UnnoiseError {
  const why = `ᾱ = 0 there, where ${parameterisation} says nothing about x_0`;
  return new UnnoiseError("usage", `${where}: ${why}; use a network that predicts v or x0, or leave the step out`);
}
