import { BatchOrder, gatherRows } from "../data/batches.ts";
import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { LossMoments, type LossHistory } from "../diffusion/objectives/loss-moments.ts";
import { drawAntithetic, drawByImportance, drawUniform } from "../diffusion/objectives/timestep-draw.ts";
import type { Weighting } from "../diffusion/objectives/weighting.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { scheduleConfig, scheduleFromConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { initialise, parameterCount, type Parameter } from "../nn/parameters.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { learnsSchedule, type TrainingConfig } from "./config.ts";
import { denoiserParameters, type DenoiserConfig } from "./denoiser-spec.ts";
import { frozenSchedule } from "./learned-schedule.ts";
import { learningRateAt } from "./learning-rate.ts";
import { namedWeights, type DiffusionModel } from "./model.ts";
import { stateNames } from "./train-step.ts";
import { copyVectors, createEngine, type Batch, type StateVectors, type StepEngine } from "./step-engine.ts";
import { trainedLoss, trainedParameters } from "./training-loss.ts";

/** Everything that the next step depends on; draws and batch order follow from the seed and the iteration. */
export interface TrainingState {
  /** Iterations done. */
  readonly iteration: number;
  readonly vectors: StateVectors;
  /** Losses of each step so far, where steps are drawn by importance. */
  readonly lossHistory?: LossHistory;
}

/** What one step reports. */
export interface StepReport {
  /** Iterations done, this one included. */
  readonly iteration: number;
  /** The objective on this batch, before the update. */
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
  /** Instead of the configuration's, which holds no function. */
  readonly weighting?: Weighting;
}

/** The network that a configuration describes, for samples of `dimensions` columns. */
export function denoiserConfigOf(config: TrainingConfig, dimensions: number): DenoiserConfig {
  const { timesteps, width, depth, timeFeatures, flipSinToCos, freqShift, variance } = config;
  const embedding = { timeFeatures, flipSinToCos, freqShift };
  return {
    kind: "MlpDenoiser",
    dimensions,
    timesteps,
    width,
    depth,
    ...embedding,
    learnsVariance: isLearned(variance),
  };
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
  readonly #moments: LossMoments | undefined;
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
      ...(drawsByImportance(config) && { lossWeights: new Float32Array(config.batchSize) }),
    };
    this.#moments = drawsByImportance(config) ? new LossMoments(config.timesteps, state?.lossHistory) : undefined;
    this.#iteration = state?.iteration ?? 0;
  }

  /**
   * Compiles the training step.
   * @throws UnnoiseError `device` when the device is not available, `usage` for a schedule or a weighting out of range
   */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { config, points, state, weighting } = options;
    const sampleShape = points.shape.slice(1);
    const denoiser = denoiserConfigOf(config, sizeOf(sampleShape));
    const { parameters, loss } = trainedLoss(config, denoiser, weighting);
    const engine = await createEngine(
      { ...config, sampleShape, parameters, loss, weightedRows: drawsByImportance(config) },
      state?.vectors ?? startVectors(parameters, config.seed),
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
    const lossHistory = this.#moments?.history;
    return {
      iteration: this.#iteration,
      vectors: copyVectors(this.#engine.vectors),
      ...(lossHistory && { lossHistory }),
    };
  }

  /** Number of weights that are trained. */
  get parameterCount(): number {
    return this.#engine.vectors.weights.length;
  }

  /** The noise schedule: the configuration's, or what has been learned so far, by the averaged weights. */
  get schedule(): NoiseSchedule {
    if (!learnsSchedule(this.config)) return scheduleFromConfig(this.config);
    const own = parameterCount(denoiserParameters(this.denoiser));
    return frozenSchedule(this.#engine.vectors.ema.slice(own), this.config.timesteps);
  }

  /**
   * The model as trained so far, with its averaged weights.
   * @throws UnnoiseError `not-finite` when the state is not finite
   */
  model(data: Pick<DiffusionModel, "standardiser" | "columns">): DiffusionModel {
    const { state, config, denoiser } = this;
    requireFinite(state);
    const { prediction, variance, firstLogVariance } = config;
    const weights = namedWeights(state.vectors.ema, denoiser);
    const schedule = this.#scheduleConfig();
    return { ...data, denoiser, prediction, variance, firstLogVariance, schedule, weights };
  }

  #scheduleConfig(): ScheduleConfig {
    const { config } = this;
    if (!learnsSchedule(config)) return scheduleConfig(config.schedule, pickSchedule(config));
    const { timesteps } = config;
    return scheduleConfig("learned", { timesteps, betas: [...this.schedule.betas] });
  }

  /**
   * Does one iteration.
   * @throws UnnoiseError `not-finite` when loss or gradient is NaN or infinite; the state stays that of the last good step
   */
  async step(): Promise<StepReport> {
    this.#drawBatch();
    const learningRate = learningRateAt(this.#iteration, this.config);
    const { loss, gradientNorm, losses } = await this.#engine.step(this.#batch, this.#iteration, learningRate);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw this.#notFinite(loss, gradientNorm);
    if (losses) this.#moments?.remember(this.#batch.steps, losses);
    this.#iteration++;
    return { iteration: this.#iteration, loss, gradientNorm, learningRate };
  }

  /** Frees the session. */
  async dispose(): Promise<void> {
    await this.#engine.dispose();
  }

  /** Samples, noise and timesteps of this iteration. */
  #drawBatch(): void {
    const { batchSize } = this.config;
    const { x0, eps } = this.#batch;
    this.#order.indices(this.#rows, this.#iteration * batchSize);
    gatherRows(this.#points, this.#rows, x0);
    this.#noise.normals(eps, eps.length / batchSize, 0, this.#iteration);
    this.#drawSteps();
  }

  #drawSteps(): void {
    const { timesteps, timestepDraw } = this.config;
    const { steps, lossWeights } = this.#batch;
    if (lossWeights && this.#moments)
      drawByImportance(steps, lossWeights, this.#moments, this.#timesteps, this.#iteration);
    else
      (timestepDraw === "antithetic" ? drawAntithetic : drawUniform)(
        steps,
        timesteps,
        this.#timesteps,
        this.#iteration,
      );
  }

  #notFinite(loss: number, gradientNorm: number): UnnoiseError {
    const got = `loss ${loss} and gradient norm ${gradientNorm}`;
    const advice = "lower the learning rate or check the data; the last checkpoint is kept";
    return new UnnoiseError("not-finite", `training: iteration ${this.#iteration + 1} gave ${got}; ${advice}`);
  }
}

const drawsByImportance = ({ timestepDraw }: TrainingConfig): boolean => timestepDraw === "importance";

function pickSchedule(config: TrainingConfig): Partial<ScheduleConfig> {
  const { timesteps, betaStart, betaEnd, sigmaMin, sigmaMax, zeroTerminalSnr, rescaleBetas, betas } = config;
  return { timesteps, betaStart, betaEnd, sigmaMin, sigmaMax, zeroTerminalSnr, rescaleBetas, betas };
}

/** Number of weights that a configuration trains on samples of `dimensions` columns. */
export function trainedCount(config: TrainingConfig, dimensions: number): number {
  return parameterCount(trainedParameters(config, denoiserConfigOf(config, dimensions)));
}

function startVectors(parameters: readonly Parameter[], seed: number): StateVectors {
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
