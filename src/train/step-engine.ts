import { countFlops } from "../graph/work.ts";
import { AdamwKernel } from "../nn/adamw-kernel.ts";
import { emaDecay } from "../nn/ema.ts";
import { parameterCount } from "../nn/parameters.ts";
import { compile, resolveDevice, runsOnHost, type Executable } from "../runtime/executable.ts";
import { at } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { TrainingConfig } from "./config.ts";
import { gradientGraph, stateNames, trainStepGraph, type StateName, type TrainStepOptions } from "./train-step.ts";

/** The flat vectors [P] that a step reads and replaces. */
export type StateVectors = Readonly<Record<StateName, Float32Array>>;

/** One batch: clean samples, noise and 0-based timesteps. */
export interface Batch {
  readonly x0: Float32Array;
  readonly eps: Float32Array;
  readonly steps: Int32Array;
  /** Weight of each row, where rows have weights. */
  readonly lossWeights?: Float32Array;
}

/** What a step gives. */
export interface StepResult {
  readonly loss: number;
  readonly gradientNorm: number;
  /** The loss of each row, where rows have weights; the next step overwrites it. */
  readonly losses?: Float32Array;
}

/** Holds the state of training where a device wants it, and takes steps there. */
export interface StepEngine {
  /** Where the steps run: what `auto` chose. */
  readonly placement: Pick<Executable, "device" | "threads">;
  /** The state as it is now; a view, which the next step may change. */
  readonly vectors: StateVectors;
  /**
   * Loss and gradient norm of a batch, and the update, unless one of them is not finite: then the state stays.
   * @param iteration 0-based
   */
  step(batch: Batch, iteration: number, learningRate: number): Promise<StepResult>;
  dispose(): Promise<void>;
}

export type EngineOptions = TrainStepOptions & Pick<TrainingConfig, "emaDecay" | "device" | "threads">;

/** The engine for a device: the host's fused optimiser where the host computes, the whole step as a graph elsewhere. */
export async function createEngine(options: EngineOptions, start: StateVectors): Promise<StepEngine> {
  const graph = gradientGraph(options);
  const device = await resolveDevice(options.device, countFlops(Object.values(graph)));
  const placement = options.threads === null ? { device } : { device, threads: options.threads };
  if (runsOnHost(device)) return new HostEngine(options, await compile(graph, placement), start);
  return new GraphEngine(options, await compile(trainStepGraph(options), placement), start);
}

const isFinite = (loss: number, gradientNorm: number): boolean =>
  Number.isFinite(loss) && Number.isFinite(gradientNorm);

/** The graph gives loss and gradient; weights and gradient are views of the optimiser's own memory, so the CPU provider copies nothing. */
class HostEngine implements StepEngine {
  readonly placement: Executable;
  readonly vectors: StateVectors;
  readonly #options: EngineOptions;
  readonly #kernel: AdamwKernel;
  readonly #feeds: Record<string, Float32Array> = {};
  readonly #results: Record<string, Float32Array> = { loss: new Float32Array(1) };

  constructor(options: EngineOptions, executable: Executable, start: StateVectors) {
    this.placement = executable;
    this.#options = options;
    this.#kernel = new AdamwKernel(parameterCount(options.parameters));
    const { gradient, ...vectors } = this.#kernel.vectors;
    this.vectors = vectors;
    for (const name of stateNames) vectors[name].set(start[name]);
    if (options.weightedRows === true) this.#results["losses"] = new Float32Array(options.batchSize);
    let offset = 0;
    for (const { name, shape } of options.parameters) {
      const range = [offset, (offset += sizeOf(shape))] as const;
      this.#feeds[name] = vectors.weights.subarray(...range);
      this.#results[`gradient.${name}`] = gradient.subarray(...range);
    }
  }

  async step(batch: Batch, iteration: number, learningRate: number): Promise<StepResult> {
    await this.placement.run({ ...this.#feeds, ...batch }, this.#results);
    const loss = at(this.#results["loss"] ?? [], 0);
    const gradientNorm = this.#kernel.gradientNorm();
    if (isFinite(loss, gradientNorm)) {
      const { emaDecay: decay, clipNorm } = this.#options;
      const oneMinusEmaDecay = 1 - emaDecay(decay, iteration + 1);
      const rates = { learningRate, iteration: iteration + 1, oneMinusEmaDecay, clipNorm };
      this.#kernel.step(gradientNorm, rates, this.#options);
    }
    const { losses } = this.#results;
    return { loss, gradientNorm, ...(losses && { losses }) };
  }

  async dispose(): Promise<void> {
    await this.placement.dispose();
  }
}

/** The whole step is one graph; two sets of state buffers take turns as input and output. */
export class GraphEngine implements StepEngine {
  readonly placement: Executable;
  readonly #options: EngineOptions;
  readonly #scalars = { loss: new Float32Array(1), gradientNorm: new Float32Array(1) };
  readonly #rows: { readonly losses?: Float32Array };
  readonly #rates = new Float32Array(4);
  #current: StateVectors;
  #next: StateVectors;

  constructor(options: EngineOptions, executable: Executable, start: StateVectors) {
    this.placement = executable;
    this.#options = options;
    this.#rows = options.weightedRows === true ? { losses: new Float32Array(options.batchSize) } : {};
    this.#current = copyVectors(start);
    this.#next = copyVectors(start);
  }

  get vectors(): StateVectors {
    return this.#current;
  }

  async step(batch: Batch, iteration: number, learningRate: number): Promise<StepResult> {
    const { beta1, beta2, emaDecay: decay } = this.#options;
    const i = iteration + 1;
    this.#rates.set([learningRate, 1 / (1 - beta1 ** i), 1 / (1 - beta2 ** i), 1 - emaDecay(decay, i)]);
    const results = Object.fromEntries(stateNames.map((name) => [`next.${name}`, this.#next[name]]));
    const outputs = { ...this.#scalars, ...this.#rows, ...results };
    await this.placement.run({ ...batch, ...this.#current, rates: this.#rates }, outputs);
    const [loss, gradientNorm] = [at(this.#scalars.loss, 0), at(this.#scalars.gradientNorm, 0)];
    if (isFinite(loss, gradientNorm)) [this.#current, this.#next] = [this.#next, this.#current];
    return { loss, gradientNorm, ...this.#rows };
  }

  async dispose(): Promise<void> {
    await this.placement.dispose();
  }
}

/** Vectors of their own, with the same values. */
export function copyVectors({ weights, mean, square, ema }: StateVectors): StateVectors {
  return { weights: weights.slice(), mean: mean.slice(), square: square.slice(), ema: ema.slice() };
}
