import type { Standardiser } from "../data/standardise.ts";
import type { Denoiser } from "../diffusion/sampler.ts";
import { linearSchedule, type NoiseSchedule } from "../diffusion/schedule.ts";
import { constant, input } from "../graph/builders.ts";
import { at, invariant } from "../math/error.ts";
import { compile, type CompileOptions, type Executable } from "../runtime/executable.ts";
import { floatTensor, sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { denoiserParameters, denoiserPredict, type DenoiserConfig } from "./denoiser-spec.ts";

/** Parameters of a linear schedule, as saved with a model. */
export interface ScheduleConfig {
  readonly timesteps: number;
  readonly betaStart: number;
  readonly betaEnd: number;
}

/** A trained model: all that sampling needs. */
export interface DiffusionModel {
  readonly denoiser: DenoiserConfig;
  readonly schedule: ScheduleConfig;
  readonly standardiser: Standardiser;
  /** Names of the data's columns. */
  readonly columns: readonly string[];
  /** EMA weights by name. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
}

/** β_1…β_T of a model. */
export function scheduleOf(model: DiffusionModel): NoiseSchedule {
  return linearSchedule(model.schedule);
}

/** Cuts a flat vector [P] into the named weights of a network. */
export function namedWeights(flat: Float32Array, denoiser: DenoiserConfig): Map<string, FloatTensor> {
  let offset = 0;
  const entries = denoiserParameters(denoiser).map(({ name, shape }) => {
    const data = flat.slice(offset, (offset += sizeOf(shape)));
    return [name, floatTensor(data, shape)] as const;
  });
  invariant(offset === flat.length, `${flat.length} weights for a network of ${offset}`);
  return new Map(entries);
}

/** Rows of one call: activations of this many rows fit a core's cache; larger batches go through in chunks. */
const CHUNK_ROWS = 1024;

/** Rows of each of the fewest equal chunks that cover `rows`. */
function chunkRows(rows: number): number {
  return Math.ceil(rows / Math.ceil(rows / CHUNK_ROWS));
}

/** A network with its weights baked in, ready to predict. Sessions are cached by batch size; `dispose` frees them. */
export class DenoiserSession {
  readonly model: DiffusionModel;
  readonly #options: CompileOptions;
  readonly #sessions = new Map<number, Promise<Executable>>();

  constructor(model: DiffusionModel, options: CompileOptions = {}) {
    this.model = model;
    this.#options = options;
  }

  /** ε_θ(x_t, t) for a batch [B, …D] that shares one step: a `Denoiser` for any sampler. */
  readonly predict: Denoiser = async (xt, step) => {
    const width = sizeOf(xt.shape.slice(1));
    const rows = at(xt.shape, 0);
    const chunk = chunkRows(rows);
    const executable = await this.#session(chunk);
    const out = new Float32Array(xt.data.length);
    const steps = Int32Array.of(step);
    for (let row = 0; row < rows; row += chunk) {
      // The last chunk starts early rather than being short: its overlap is computed twice, to the same values.
      const start = Math.min(row, rows - chunk) * width;
      const window = [start, start + chunk * width] as const;
      await executable.run({ xt: xt.data.subarray(...window), steps }, { eps: out.subarray(...window) });
    }
    return { dtype: "float32", shape: xt.shape, data: out };
  };

  /** Where predictions for a batch of `rows` run: what `auto` chose. */
  async placement(rows: number): Promise<Pick<Executable, "device" | "threads">> {
    return this.#session(chunkRows(rows));
  }

  async dispose(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map(async (session) => (await session).dispose()));
  }

  #session(rows: number): Promise<Executable> {
    const known = this.#sessions.get(rows);
    if (known) return known;
    const compiled = compile({ eps: this.#graph(rows) }, this.#options);
    this.#sessions.set(rows, compiled);
    compiled.catch(() => this.#sessions.delete(rows));
    return compiled;
  }

  #graph(rows: number): ReturnType<ReturnType<ReturnType<typeof denoiserPredict>>> {
    const { denoiser, weights } = this.model;
    const constants = [...weights].map(([name, { data, shape }]) => [name, constant(data, shape)] as const);
    const predict = denoiserPredict(denoiser)(Object.fromEntries(constants));
    return predict(input("xt", [rows, denoiser.dimensions]), input("steps", [1], "int32"));
  }
}
