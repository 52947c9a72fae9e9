import type { Standardiser } from "../data/standardise.ts";
import { isLearned, type VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import type { Parameterisation } from "../diffusion/parameterisation.ts";
import type { Denoiser, Prediction } from "../diffusion/sampler.ts";
import type { ReverseVariance } from "../diffusion/samplers/ddpm.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { scheduleFromConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import type { FirstLogVariance } from "../diffusion/variance.ts";
import { constant, input, split } from "../graph/builders.ts";
import type { Node } from "../graph/node.ts";
import { at, invariant } from "../math/error.ts";
import type { CompileOptions, Executable } from "../runtime/executable.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { denoiserParameters, type DenoiserConfig } from "./denoiser-spec.ts";
import { modelPredict } from "./model-predict.ts";
import { SizedSessions } from "./sized-sessions.ts";

/** A trained model: all that sampling needs. */
export interface DiffusionModel {
  readonly denoiser: DenoiserConfig;
  /** A learned one by its betas. */
  readonly schedule: ScheduleConfig;
  /** What the network predicts. */
  readonly prediction: Parameterisation;
  /** σ² of the reverse step that it was trained for. */
  readonly variance: VarianceKind;
  readonly standardiser: Standardiser;
  /** What stood for log β̃ at t = 1. */
  readonly firstLogVariance: FirstLogVariance;
  /** Names of the data's columns. */
  readonly columns: readonly string[];
  /** EMA weights by name. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
}

/** β_1…β_T of a model. */
export function scheduleOf(model: DiffusionModel): NoiseSchedule {
  return scheduleFromConfig(model.schedule);
}

/** The variance with which ancestral sampling follows a model. */
export function reverseVarianceOf({ variance }: Pick<DiffusionModel, "variance">): ReverseVariance {
  return isLearned(variance) ? "learned" : variance;
}

/** Cuts the named weights of a network out of the front of a flat vector [P]. */
export function namedWeights(flat: Float32Array, denoiser: DenoiserConfig): Map<string, FloatTensor> {
  let offset = 0;
  const entries = denoiserParameters(denoiser).map(({ name, shape }) => {
    const data = flat.slice(offset, (offset += sizeOf(shape)));
    return [name, floatTensor(data, shape)] as const;
  });
  invariant(offset <= flat.length, `${flat.length} weights for a network of ${offset}`);
  return new Map(entries);
}

/** What one call of the network gives, each [B·D]. */
interface Results {
  readonly output: Float32Array;
  readonly variance?: Float32Array;
}

/** Rows of one call: activations of this many rows fit a core's cache; larger batches go through in chunks. */
const CHUNK_ROWS = 1024;

/** A network with its weights baked in, ready to predict. Sessions are cached by batch size; `dispose` frees them. */
export class DenoiserSession {
  readonly model: DiffusionModel;
  readonly #sessions: SizedSessions;

  constructor(model: DiffusionModel, options: CompileOptions = {}) {
    this.model = model;
    this.#sessions = new SizedSessions((rows) => this.#graph(rows), CHUNK_ROWS, options);
  }

  /** What the network says of a batch [B, …D] that shares one step, as a `Denoiser` for any sampler: ε, or a `Prediction`. */
  readonly predict: Denoiser = async (xt, step) => {
    const width = sizeOf(xt.shape.slice(1));
    const results = this.#results(xt.data.length);
    const steps = Int32Array.of(step);
    await this.#sessions.each(at(xt.shape, 0), async (session, first, end) => {
      const part = (data: Float32Array): Float32Array => data.subarray(first * width, end * width);
      const { output, variance } = results;
      const parts = { output: part(output), ...(variance && { variance: part(variance) }) };
      await session.run({ xt: part(xt.data), steps }, parts);
    });
    return this.#said(results, xt.shape);
  };

  /** Where predictions for a batch of `rows` run: what `auto` chose. */
  async placement(rows: number): Promise<Pick<Executable, "device" | "threads">> {
    return this.#sessions.get(rows);
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  /** Room for what the graph gives. */
  #results(size: number): Results {
    const output = new Float32Array(size);
    return isLearned(this.model.variance) ? { output, variance: new Float32Array(size) } : { output };
  }

  #said({ output: data, variance: ofVariance }: Results, shape: FloatTensor["shape"]): FloatTensor | Prediction {
    const { prediction: parameterisation, variance } = this.model;
    const output: FloatTensor = { dtype: "float32", shape, data };
    if (!ofVariance) return parameterisation === "eps" ? output : { parameterisation, output };
    const kind = variance === "learned" ? "free" : "range";
    return {
      parameterisation,
      output,
      variance: { kind, output: { dtype: "float32", shape, data: ofVariance } },
    };
  }

  /** The network with its weights as constants; its two halves apart where it says the variance too. */
  #graph(rows: number): Record<string, Node> {
    const { denoiser, weights, variance } = this.model;
    const constants = [...weights].map(([name, { data, shape }]) => [name, constant(data, shape)] as const);
    const predict = modelPredict(denoiser, this.model, scheduleOf(this.model))(Object.fromEntries(constants));
    const { dimensions } = denoiser;
    const said = predict(input("xt", [rows, dimensions]), input("steps", [1], "int32"));
    if (!isLearned(variance)) return { output: said };
    const [output, ofVariance] = split(said, 1, [dimensions, dimensions]) as [Node, Node];
    return { output, variance: ofVariance };
  }
}
