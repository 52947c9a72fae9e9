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
import { UnnoiseError, at, invariant } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import type { CompileOptions, Executable } from "../runtime/executable.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { chunkRowsOf } from "./chunk-rows.ts";
import { classesOf, denoiserParameters, sampleShapeOf } from "./denoiser-spec.ts";
import { modelPredict } from "./model-predict.ts";
import { SizedSessions } from "./sized-sessions.ts";

/** A trained denoiser with its process, whatever it was trained on. */
export interface DiffusionModel {
  readonly kind: "points" | "images";
  readonly denoiser: DenoiserConfig;
  /** A learned one by its betas. */
  readonly schedule: ScheduleConfig;
  /** What the network predicts. */
  readonly prediction: Parameterisation;
  /** σ² of the reverse step that it was trained for. */
  readonly variance: VarianceKind;
  /** What stood for log β̃ at t = 1. */
  readonly firstLogVariance: FirstLogVariance;
  /** EMA weights by name. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
}

/** A model of points. */
export interface PointModel extends DiffusionModel {
  readonly kind: "points";
  readonly standardiser: Standardiser;
  /** Names of the data's columns. */
  readonly columns: readonly string[];
}

/** A model of images [C, H, W] in [−1, 1]. */
export interface ImageModel extends DiffusionModel {
  readonly kind: "images";
  /** Names of the classes 0…n−1, where it has any; a further label, n, stands for no class, unless the network was told all. */
  readonly classes?: readonly string[];
}

/** A model of either kind. */
export type AnyModel = PointModel | ImageModel;

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

/** What a batch is asked to be. */
export interface Condition {
  /** Class of each row, int32 [B]; of a network that takes classes, rows without are of no class. */
  readonly labels?: Int32Array;
  /**
   * w of classifier-free guidance, ε = ε_∅ + w·(ε_c − ε_∅) (Ho & Salimans 2022, eq. 6, arXiv 2207.12598, whose w is this one less 1):
   * 1, the usual, is conditional only; 0 is unconditional.
   */
  readonly guidance?: number;
}

/** Where and in what batches a network runs. */
export interface SessionOptions extends CompileOptions {
  /**
   * Rows of each call of the network, an integer ≥ 1; the last call is filled up, so that all have exactly as many. If absent, calls have
   * as many rows as suit the processor and the request.
   */
  readonly batch?: number;
}

/** A network with its weights baked in, ready to predict. Sessions are cached by batch size; `dispose` frees them. */
export class DenoiserSession {
  readonly model: DiffusionModel;
  readonly #sessions: SizedSessions;
  readonly #batch: number;

  /** @throws UnnoiseError `usage` for a batch that is no integer ≥ 1 */
  constructor(model: DiffusionModel, { batch, ...options }: SessionOptions = {}) {
    if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1)) {
      throw new UnnoiseError("usage", `batch: expected an integer ≥ 1, got ${shown(batch)}`);
    }
    this.model = model;
    this.#batch = batch ?? 1;
    this.#sessions = new SizedSessions((rows) => this.#graph(rows), batch ?? chunkRowsOf(model), options);
  }

  /** What the network says of a batch [B, …D] that shares one step, as a `Denoiser` for any sampler: ε, or a `Prediction`. */
  readonly predict: Denoiser = async (xt, step) => this.#predict(xt, step, this.#labels(at(xt.shape, 0)));

  /**
   * The denoiser of batches whose rows have classes.
   * @throws UnnoiseError `usage` for labels that the network does not have, or guidance where it has no label for no class
   */
  conditioned({ labels, guidance = 1 }: Condition): Denoiser {
    if (labels === undefined) return this.predict;
    const known = Int32Array.from(labels, (label) => this.#checkLabel(label));
    if (guidance === 1) return (xt, step) => this.#predict(xt, step, known);
    const none = this.#labels(labels.length);
    return async (xt, step) => {
      const free = await this.#predict(xt, step, none);
      return guidance === 0 ? free : guide(free, await this.#predict(xt, step, known), guidance);
    };
  }

  /** Where predictions for a batch of `rows` run: what `auto` chose. */
  async placement(rows: number): Promise<Pick<Executable, "device" | "threads">> {
    return this.#sessions.get(rows);
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  async #predict(xt: FloatTensor, step: number, labels: Int32Array | undefined): Promise<FloatTensor | Prediction> {
    const [rows, width] = [at(xt.shape, 0), sizeOf(xt.shape.slice(1))];
    const calls = Math.ceil(rows / this.#batch) * this.#batch;
    const [data, told] = [filled(xt.data, calls * width, width), labels && filled(labels, calls, 1)];
    const results = this.#results(data.length);
    const steps = Int32Array.of(step);
    await this.#sessions.each(calls, async (session, first, end) => {
      const part = (of: Float32Array): Float32Array => of.subarray(first * width, end * width);
      const { output, variance } = results;
      const parts = { output: part(output), ...(variance && { variance: part(variance) }) };
      const classes = told && { labels: told.slice(first, end) };
      await session.run({ xt: part(data), steps, ...classes }, parts);
    });
    return this.#said(
      {
        output: results.output.subarray(0, rows * width),
        ...(results.variance && { variance: results.variance.subarray(0, rows * width) }),
      },
      xt.shape,
    );
  }

  /** The label of no class for each row, where the network takes classes. */
  #labels(rows: number): Int32Array | undefined {
    const classes = classesOf(this.model.denoiser);
    return classes === 0 ? undefined : new Int32Array(rows).fill(noClassOf(this.model));
  }

  #checkLabel(label: number): number {
    const classes = classesOf(this.model.denoiser);
    if (Number.isInteger(label) && label >= 0 && label < classes) return label;
    const expected = classes === 0 ? "none, since the network takes no classes" : `an integer in 0…${classes - 1}`;
    throw new UnnoiseError("usage", `class label: expected ${expected}, got ${label}`);
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
    const shape = sampleShapeOf(denoiser);
    const said = modelPredict(
      denoiser,
      this.model,
      scheduleOf(this.model),
    )(
      {
        xt: input("xt", [rows, ...shape]),
        steps: input("steps", [1], "int32"),
        ...(classesOf(denoiser) > 0 && { classLabels: input("labels", [rows], "int32") }),
      },
      Object.fromEntries(constants),
    );
    if (!isLearned(variance)) return { output: said };
    const channels = at(shape, 0);
    const [output, ofVariance] = split(said, 1, [channels, channels]) as [Node, Node];
    return { output, variance: ofVariance };
  }
}

/** `data` with its last row, of `width` values, again and again up to `length`. */
function filled<A extends Float32Array | Int32Array>(data: A, length: number, width: number): A {
  if (data.length === length) return data;
  const full = new (data.constructor as new (length: number) => A)(length);
  full.set(data);
  for (let offset = data.length; offset < length; offset += width)
    full.copyWithin(offset, data.length - width, data.length);
  return full;
}

/**
 * The label that stands for no class: the row after the named classes.
 * @throws UnnoiseError `usage` for a network that was trained with classes only
 */
function noClassOf(model: DiffusionModel): number {
  const rows = classesOf(model.denoiser);
  const named = (model as ImageModel).classes?.length ?? rows;
  if (named < rows) return named;
  throw new UnnoiseError(
    "usage",
    `class label: the network has no label for no class; give each sample one of 0…${rows - 1}`,
  );
}

/** ε_∅ + w·(ε_c − ε_∅), or the same of what else is predicted; the variance is that of the class. */
function guide(
  free: FloatTensor | Prediction,
  given: FloatTensor | Prediction,
  guidance: number,
): FloatTensor | Prediction {
  const [base, towards] = [outputOf(free), outputOf(given)];
  const data = base.data.map((value, i) => value + guidance * ((towards.data[i] ?? 0) - value));
  const output: FloatTensor = { ...base, data };
  return "output" in given ? { ...given, output } : output;
}

const outputOf = (said: FloatTensor | Prediction): FloatTensor => ("output" in said ? said.output : said);
