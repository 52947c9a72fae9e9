import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { LossMoments, type LossHistory } from "../diffusion/objectives/loss-moments.ts";
import type { Weighting } from "../diffusion/objectives/weighting.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { scheduleConfig, scheduleFromConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { UnnoiseError } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { initialise, parameterCount, type Parameter } from "../nn/parameters.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { BatchDraws } from "./batch-draws.ts";
import { learnsSchedule, type TrainingConfig } from "./config.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import { imageNetworkOf } from "./image-network.ts";
import { frozenSchedule } from "./learned-schedule.ts";
import { learningRateAt } from "./learning-rate.ts";
import { namedWeights, type DiffusionModel, type ImageModel, type PointModel } from "./model.ts";
import { MoreAverages } from "./more-averages.ts";
import { stateNames } from "./train-step.ts";
import { copyVectors, createEngine, type StateVectors, type StepEngine } from "./step-engine.ts";
import type { TrainingData } from "./training-data.ts";
import { trainedLoss, trainedParameters } from "./training-loss.ts";

/** Everything that the next step depends on; draws and batch order follow from the seed and the iteration. */
export interface TrainingState {
  /** Iterations done. */
  readonly iteration: number;
  readonly vectors: StateVectors;
  /** Losses of each step so far, where steps are drawn by importance. */
  readonly lossHistory?: LossHistory;
  /** The averages of `moreEmaDecays`, each [P]; none if absent. */
  readonly averages?: readonly Float32Array[];
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
  readonly data: TrainingData;
  /** Where to go on; from the seed if absent. */
  readonly state?: TrainingState;
  /** Instead of the configuration's, which holds no function. */
  readonly weighting?: Weighting;
}

/** What the data, and not the training, say of a model. */
export type DataFacts = Pick<PointModel, "kind" | "standardiser" | "columns"> | Pick<ImageModel, "kind" | "classes">;

/** The network that a configuration describes for data. */
export function denoiserConfigOf(
  config: TrainingConfig,
  data: Pick<TrainingData, "kind" | "sampleShape" | "classes">,
): DenoiserConfig {
  return data.kind === "points" ? mlpConfigOf(config, sizeOf(data.sampleShape)) : imageNetworkOf(config, data);
}

function mlpConfigOf(config: TrainingConfig, dimensions: number): DenoiserConfig {
  const { timesteps, width, depth, timeFeatures, flipSinToCos, freqShift, variance } = config;
  const embedding = { timeFeatures, flipSinToCos, freqShift };
  const learnsVariance = isLearned(variance);
  return { kind: "MlpDenoiser", dimensions, timesteps, width, depth, ...embedding, learnsVariance };
}

/** Trains a denoiser step by step: `create`, `step` until `done`, `dispose`. */
export class Trainer {
  readonly config: TrainingConfig;
  readonly denoiser: DenoiserConfig;
  readonly #engine: StepEngine;
  readonly #draws: BatchDraws;
  readonly #averages: MoreAverages;
  readonly #moments: LossMoments | undefined;
  #iteration: number;

  private constructor({ config, data, state }: TrainerOptions, denoiser: DenoiserConfig, engine: StepEngine) {
    this.config = config;
    this.denoiser = denoiser;
    this.#engine = engine;
    this.#draws = new BatchDraws(config, data, engine.masks);
    this.#averages = new MoreAverages(config.moreEmaDecays, state?.averages ?? engine.vectors.weights);
    this.#moments = drawsByImportance(config) ? new LossMoments(config.timesteps, state?.lossHistory) : undefined;
    this.#iteration = state?.iteration ?? 0;
  }

  /**
   * Compiles the training step.
   * @throws UnnoiseError `device` when the device is not available, `usage` for a schedule or a weighting out of range, or a network that
   * does not fit the data
   */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { config, data, state, weighting } = options;
    const denoiser = denoiserConfigOf(config, data);
    const trained = trainedLoss(config, denoiser, weighting);
    const { accumulate: parts, conditional } = config;
    const rows = { batchSize: config.batchSize / parts, parts, conditional, weightedRows: drawsByImportance(config) };
    const engine = await createEngine(
      { ...config, ...trained, sampleShape: data.sampleShape, ...rows },
      state?.vectors ?? startVectors(trained.parameters, config.seed),
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
      averages: this.#averages.vectors.map((average) => average.slice()),
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
   * @param data what the data say of it
   * @throws UnnoiseError `not-finite` when the state is not finite
   */
  model<F extends Pick<DiffusionModel, "kind">>(data: F): F & Omit<DiffusionModel, "kind"> {
    const { iteration, config, denoiser } = this;
    const { vectors } = this.#engine;
    requireFinite({ iteration, vectors });
    const { prediction, variance, firstLogVariance } = config;
    const weights = namedWeights(vectors.ema, denoiser);
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
    this.#draws.draw(this.#iteration, this.#moments);
    const learningRate = learningRateAt(this.#iteration, this.config);
    const { loss, gradientNorm, losses } = await this.#engine.step(this.#draws.parts, this.#iteration, learningRate);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw this.#notFinite(loss, gradientNorm);
    if (losses) this.#moments?.remember(this.#draws.steps, losses);
    this.#iteration++;
    this.#averages.add(this.#engine.vectors.weights, this.#iteration);
    return { iteration: this.#iteration, loss, gradientNorm, learningRate };
  }

  /** Frees the session. */
  async dispose(): Promise<void> {
    await this.#engine.dispose();
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

/** Number of weights that a configuration trains on data. */
export function trainedCount(config: TrainingConfig, data: TrainingData): number {
  return parameterCount(trainedParameters(config, denoiserConfigOf(config, data)));
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
