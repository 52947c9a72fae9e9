import { BatchOrder, gatherRows } from "../data/batches.ts";
import { linearSchedule } from "../diffusion/schedule.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { initialise, parameterCount } from "../nn/parameters.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import type { TrainingConfig } from "./config.ts";
import { denoiserParameters, denoiserPredict, type DenoiserConfig } from "./denoiser-spec.ts";
import { learningRateAt } from "./learning-rate.ts";
import { stateNames } from "./train-step.ts";
import { copyVectors, createEngine, type Batch, type StateVectors, type StepEngine } from "./step-engine.ts";

/** Everything that the next step depends on; draws and batch order follow from the seed and the iteration. */
export interface TrainingState {
  /** Iterations done. */
  readonly iteration: number;
  readonly vectors: StateVectors;
}

/** What one step reports. */
export interface StepReport {
  /** Iterations done, this one included. */
  readonly iteration: number;
  /** L_simple on this batch, before the update. */
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
}

export interface TrainerOptions {
  readonly config: TrainingConfig;
  /** Standardised samples [N, …D]. */
  readonly points: FloatTensor;
  /** Where to go on; from the seed if absent. */
  readonly state?: TrainingState;
}

/** The network that a configuration describes, for samples of `dimensions` columns. */
export function denoiserConfigOf(config: TrainingConfig, dimensions: number): DenoiserConfig {
  const { timesteps, width, depth, timeFeatures } = config;
  return { kind: "MlpDenoiser", dimensions, timesteps, width, depth, timeFeatures };
}

/** Trains a denoiser step by step: `create`, `step` until `done`, `dispose`. */
export class Trainer {
  readonly config: TrainingConfig;
  readonly denoiser: DenoiserConfig;
  readonly #engine: StepEngine;
  readonly #points: FloatTensor;
  readonly #order: BatchOrder;
  readonly #noise: Random;
  readonly #timesteps: Random;
  readonly #rows: Int32Array;
  readonly #batch: Batch;
  #iteration: number;

  private constructor({ config, points, state }: TrainerOptions, denoiser: DenoiserConfig, engine: StepEngine) {
    this.config = config;
    this.denoiser = denoiser;
    this.#engine = engine;
    this.#points = points;
    this.#order = new BatchOrder(at(points.shape, 0), config.seed);
    this.#noise = new Random(config.seed, "noise");
    this.#timesteps = new Random(config.seed, "timestep");
    this.#rows = new Int32Array(config.batchSize);
    const values = config.batchSize * sizeOf(points.shape.slice(1));
    this.#batch = {
      x0: new Float32Array(values),
      eps: new Float32Array(values),
      steps: new Int32Array(config.batchSize),
    };
    this.#iteration = state?.iteration ?? 0;
  }

  /**
   * Compiles the training step.
   * @throws UnnoiseError `device` when the device is not available, `usage` for a schedule out of range
   */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { config, points } = options;
    const sampleShape = points.shape.slice(1);
    const denoiser = denoiserConfigOf(config, sizeOf(sampleShape));
    const engine = await createEngine(
      {
        ...config,
        sampleShape,
        schedule: linearSchedule(config),
        parameters: denoiserParameters(denoiser),
        predict: denoiserPredict(denoiser),
      },
      options.state?.vectors ?? startVectors(denoiser, config.seed),
    );
    return new Trainer(options, denoiser, engine);
  }

  /** Iterations done. */
  get iteration(): number {
    return this.#iteration;
  }

  get done(): boolean {
    return this.#iteration >= this.config.iterations;
  }

  /** Where the steps run: what `auto` chose. */
  get placement(): StepEngine["placement"] {
    return this.#engine.placement;
  }

  /** A copy of the state, to save. */
  get state(): TrainingState {
    return { iteration: this.#iteration, vectors: copyVectors(this.#engine.vectors) };
  }

  /**
   * Does one iteration.
   * @throws UnnoiseError `not-finite` when loss or gradient is NaN or infinite; the state stays that of the last good step
   */
  async step(): Promise<StepReport> {
    this.#drawBatch();
    const learningRate = learningRateAt(this.#iteration, this.config);
    const { loss, gradientNorm } = await this.#engine.step(this.#batch, this.#iteration, learningRate);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw this.#notFinite(loss, gradientNorm);
    this.#iteration++;
    return { iteration: this.#iteration, loss, gradientNorm, learningRate };
  }

  /** Frees the session. */
  async dispose(): Promise<void> {
    await this.#engine.dispose();
  }

  /** Samples, noise and timesteps of this iteration. */
  #drawBatch(): void {
    const { batchSize, timesteps } = this.config;
    const { x0, eps, steps } = this.#batch;
    this.#order.indices(this.#rows, this.#iteration * batchSize);
    gatherRows(this.#points, this.#rows, x0);
    this.#noise.normals(eps, eps.length / batchSize, 0, this.#iteration);
    this.#timesteps.integers(steps, timesteps, 0, this.#iteration);
  }

  #notFinite(loss: number, gradientNorm: number): UnnoiseError {
    const got = `loss ${loss} and gradient norm ${gradientNorm}`;
    const advice = "lower the learning rate or check the data; the last checkpoint is kept";
    return new UnnoiseError("not-finite", `training: iteration ${this.#iteration + 1} gave ${got}; ${advice}`);
  }
}

function startVectors(denoiser: DenoiserConfig, seed: number): StateVectors {
  const parameters = denoiserParameters(denoiser);
  const weights = initialise(parameters, new Random(seed, "init"));
  const zeros = (): Float32Array => new Float32Array(parameterCount(parameters));
  return { weights, mean: zeros(), square: zeros(), ema: weights.slice() };
}

/**
 * Checks that a state may be kept.
 * @throws UnnoiseError `not-finite` when one of its vectors holds NaN or infinity
 */
export function requireFinite({ iteration, vectors }: TrainingState): void {
  const name = stateNames.find((vector) => !vectors[vector].every(Number.isFinite));
  if (name === undefined) return;
  const advice = "lower the learning rate or check the data; the last checkpoint is kept";
  throw new UnnoiseError("not-finite", `training: ${name} is not finite after iteration ${iteration}; ${advice}`);
}
