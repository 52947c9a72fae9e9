import { countFlops } from "../graph/work.ts";
import { AdamwKernel } from "../nn/adamw-kernel.ts";
import { emaDecay } from "../nn/ema.ts";
import { parameterCount } from "../nn/parameters.ts";
import { compile, resolveDevice, runsOnHost, type Executable, type Feeds } from "../runtime/executable.ts";
import { at, invariant } from "../math/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { TrainingConfig } from "./config.ts";
import {
  gradientGraph,
  stateNames,
  trainStepGraph,
  type DropoutMask,
  type StateName,
  type StepGraph,
  type TrainStepOptions,
} from "./train-step.ts";

/** The flat vectors [P] that a step reads and replaces. */
export type StateVectors = Readonly<Record<StateName, Float32Array>>;

/** One batch: clean samples, noise and 0-based timesteps. */
export interface Batch {
  readonly x0: Float32Array;
  readonly eps: Float32Array;
  readonly steps: Int32Array;
  /** Weight of each row, where rows have weights. */
  readonly lossWeights?: Float32Array;
  /** Class of each row, where rows have classes. */
  readonly classLabels?: Int32Array;
  /** What each dropout keeps, by the name of its mask. */
  readonly keeps?: Readonly<Record<string, Uint8Array>>;
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
  /** The masks of dropout that each part of a batch needs. */
  readonly masks: readonly DropoutMask[];
  /**
   * Loss and gradient norm of a batch, and the update, unless one of them is not finite: then the state stays.
   * @param parts of the batch, equally large, which go through the network one after the other; their gradients are averaged
   * @param iteration 0-based
   */
  step(parts: readonly Batch[], iteration: number, learningRate: number): Promise<StepResult>;
  dispose(): Promise<void>;
}

export interface EngineOptions extends TrainStepOptions, Pick<TrainingConfig, "emaDecay" | "device" | "threads"> {
  /** Parts of a batch, each of batchSize rows; 1 if absent. */
  readonly parts?: number;
}

/**
 * The engine for a device: the host's fused optimiser where the host computes or adds up the gradients of parts, the whole step as a
 * graph elsewhere.
 */
export async function createEngine(options: EngineOptions, start: StateVectors): Promise<StepEngine> {
  const graph = gradientGraph(options);
  const device = await resolveDevice(options.device, countFlops(Object.values(graph.outputs)));
  const placement = options.threads === null ? { device } : { device, threads: options.threads };
  const make = async ({ outputs, masks }: StepGraph): Promise<CompiledStep> => ({
    executable: await compile(outputs, placement),
    masks,
  });
  if (runsOnHost(device) || (options.parts ?? 1) > 1) return new HostEngine(options, await make(graph), start);
  return new GraphEngine(options, await make(trainStepGraph(options)), start);
}

/** A step's graph, ready to run. */
export interface CompiledStep {
  readonly executable: Executable;
  readonly masks: readonly DropoutMask[];
}

/** A batch as feeds of the graph. */
function feedsOf({ keeps, ...batch }: Batch): Feeds {
  return { ...(batch as unknown as Feeds), ...keeps };
}

const isFinite = (loss: number, gradientNorm: number): boolean =>
  Number.isFinite(loss) && Number.isFinite(gradientNorm);

/** The graph gives loss and gradient; weights and gradient are views of the optimiser's own memory, so the CPU provider copies nothing. */
class HostEngine implements StepEngine {
  readonly placement: Executable;
  readonly masks: readonly DropoutMask[];
  readonly vectors: StateVectors;
  readonly #options: EngineOptions;
  readonly #kernel: AdamwKernel;
  readonly #feeds: Record<string, Float32Array> = {};
  readonly #results: Record<string, Float32Array> = { loss: new Float32Array(1) };
  /** Sum of the gradients of the parts before, where there are several. */
  readonly #sum: Float32Array | undefined;
  readonly #losses: Float32Array | undefined;

  constructor(options: EngineOptions, { executable, masks }: CompiledStep, start: StateVectors) {
    const { parameters, batchSize, weightedRows = false, parts = 1 } = options;
    this.placement = executable;
    this.masks = masks;
    this.#options = options;
    this.#kernel = new AdamwKernel(parameterCount(parameters));
    const { gradient, ...vectors } = this.#kernel.vectors;
    this.vectors = vectors;
    for (const name of stateNames) vectors[name].set(start[name]);
    if (weightedRows) this.#losses = new Float32Array(parts * batchSize);
    if (parts > 1) this.#sum = new Float32Array(gradient.length);
    let offset = 0;
    for (const { name, shape } of parameters) {
      const range = [offset, (offset += sizeOf(shape))] as const;
      this.#feeds[name] = vectors.weights.subarray(...range);
      this.#results[`gradient.${name}`] = gradient.subarray(...range);
    }
  }

  async step(parts: readonly Batch[], iteration: number, learningRate: number): Promise<StepResult> {
    const loss = await this.#descend(parts);
    const gradientNorm = this.#kernel.gradientNorm();
    if (isFinite(loss, gradientNorm)) {
      const { emaDecay: decay, clipNorm } = this.#options;
      const oneMinusEmaDecay = 1 - emaDecay(decay, iteration + 1);
      const rates = { learningRate, iteration: iteration + 1, oneMinusEmaDecay, clipNorm };
      this.#kernel.step(gradientNorm, rates, this.#options);
    }
    return { loss, gradientNorm, ...(this.#losses && { losses: this.#losses }) };
  }

  async dispose(): Promise<void> {
    await this.placement.dispose();
  }

  /** The mean loss of the parts; their mean gradient is left where the optimiser reads it. */
  async #descend(parts: readonly Batch[]): Promise<number> {
    const { gradient } = this.#kernel.vectors;
    let loss = 0;
    for (const [index, part] of parts.entries()) {
      await this.placement.run({ ...this.#feeds, ...feedsOf(part) }, this.#resultsOf(index));
      loss += at(this.#results["loss"] ?? [], 0) / parts.length;
      if (this.#sum) addTo(this.#sum, gradient, index === 0);
    }
    if (this.#sum) this.#sum.forEach((value, i) => (gradient[i] = value / parts.length));
    return loss;
  }

  #resultsOf(part: number): Record<string, Float32Array> {
    if (!this.#losses) return this.#results;
    const { batchSize } = this.#options;
    return { ...this.#results, losses: this.#losses.subarray(part * batchSize, (part + 1) * batchSize) };
  }
}

/** Adds a gradient to the sum, or begins the sum with it. */
function addTo(sum: Float32Array, gradient: Float32Array, isFirst: boolean): void {
  if (isFirst) sum.set(gradient);
  else for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (gradient[i] as number);
}

/** The whole step is one graph; two sets of state buffers take turns as input and output. */
export class GraphEngine implements StepEngine {
  readonly placement: Executable;
  readonly masks: readonly DropoutMask[];
  readonly #options: EngineOptions;
  readonly #scalars = { loss: new Float32Array(1), gradientNorm: new Float32Array(1) };
  readonly #rows: { readonly losses?: Float32Array };
  readonly #rates = new Float32Array(4);
  #current: StateVectors;
  #next: StateVectors;

  constructor(options: EngineOptions, { executable, masks }: CompiledStep, start: StateVectors) {
    this.placement = executable;
    this.masks = masks;
    this.#options = options;
    this.#rows = options.weightedRows === true ? { losses: new Float32Array(options.batchSize) } : {};
    this.#current = copyVectors(start);
    this.#next = copyVectors(start);
  }

  get vectors(): StateVectors {
    return this.#current;
  }

  async step([batch, ...more]: readonly Batch[], iteration: number, learningRate: number): Promise<StepResult> {
    invariant(batch && more.length === 0, "a whole step as a graph takes its batch in one part");
    const { beta1, beta2, emaDecay: decay } = this.#options;
    const i = iteration + 1;
    this.#rates.set([learningRate, 1 / (1 - beta1 ** i), 1 / (1 - beta2 ** i), 1 - emaDecay(decay, i)]);
    const results = Object.fromEntries(stateNames.map((name) => [`next.${name}`, this.#next[name]]));
    const outputs = { ...this.#scalars, ...this.#rows, ...results };
    await this.placement.run({ ...feedsOf(batch), ...this.#current, rates: this.#rates }, outputs);
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
