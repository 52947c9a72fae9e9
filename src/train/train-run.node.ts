import { lintSchedule } from "../diffusion/lint.ts";
import { UnnoiseError } from "../math/error.ts";
import { loadCheckpoint, saveCheckpoint, type Checkpoint } from "./checkpoint.node.ts";
import { learnsSchedule, type NetworkFile, type TrainingConfig } from "./config.ts";
import { emptyWindow, extendWindow, type LossWindow } from "./loss-window.ts";
import { denoiserFile } from "./denoiser-spec.ts";
import { openDataset, openImageData, openedImages, openedPoints, type OpenData } from "./open-data.node.ts";
import { RunFolder, type LogEvent } from "./run-folder.node.ts";
import { Trainer, trainedCount, type StepReport } from "./trainer.ts";

export interface TrainRunOptions {
  /** What to train; to resume, the run's own configuration, of which only device and threads may differ. */
  readonly config: TrainingConfig;
  /** Folder of the run. */
  readonly out: string;
  /** Go on with the run that the folder holds. */
  readonly resume?: boolean;
  /** Replace the run that the folder holds. */
  readonly overwrite?: boolean;
  /** Stops after the iteration in progress, with a checkpoint saved. */
  readonly signal?: AbortSignal;
  /** Called while images are read, with the share that is done. */
  readonly onOpening?: (share: number) => void;
  readonly onStart?: (info: TrainRunInfo) => void;
  readonly onStep?: (report: StepReport) => void;
  readonly onWarning?: (message: string) => void;
}

export interface TrainRunInfo {
  readonly device: string;
  readonly threads: number;
  readonly parameters: number;
  /** Iterations done before. */
  readonly iteration: number;
  readonly iterations: number;
  /** Points or images in the data set. */
  readonly samples: number;
}

/** How a run ended. */
export interface TrainRunResult {
  readonly status: "finished" | "interrupted";
  readonly iteration: number;
  /** Mean loss of the last log line, or of the steps since. */
  readonly loss: number | undefined;
}

/**
 * Trains in a run folder: writes configuration, log, checkpoints and at the end the model. Resuming gives bit for bit what an
 * uninterrupted run gives.
 * @throws UnnoiseError `usage` for a folder that is taken or a resumed run whose options differ, `data` for bad data, `not-finite` when training diverges, `io` when
 * the disk refuses; the last checkpoint stays
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
  const { out, resume = false, overwrite = false } = options;
  const folder = new RunFolder(out);
  if (!resume) await folder.checkFree({ overwrite });
  const config = resume ? resumedConfig(await folder.config(), options.config) : options.config;
  const run = await TrainingRun.open(folder, config, await openedData(folder, config, options), resume);
  try {
    return await run.toEnd(options);
  } finally {
    await run.dispose();
  }
}

/** The data of a new run as its configuration names them, or those that a run was begun with. */
async function openedData(folder: RunFolder, config: TrainingConfig, options: TrainRunOptions): Promise<OpenData> {
  const { resume = false, onWarning, onOpening, signal } = options;
  if (config.kind === "points") {
    return openedPoints(resume ? await folder.dataset(config) : await openDataset(config));
  }
  const hooks = {
    ...(onWarning && { onWarning }),
    ...(onOpening && { onProgress: onOpening }),
    ...(signal && { signal }),
  };
  return openedImages(resume ? await folder.images(config, hooks) : await openImageData(config, hooks));
}

/** A trainer with its folder. */
class TrainingRun {
  readonly #folder: RunFolder;
  readonly #trainer: Trainer;
  readonly #data: OpenData;
  readonly #resumed: boolean;
  #window: LossWindow;
  #lastLoss: number | undefined;

  private constructor(folder: RunFolder, trainer: Trainer, data: OpenData, checkpoint?: Checkpoint) {
    this.#folder = folder;
    this.#trainer = trainer;
    this.#data = data;
    this.#resumed = checkpoint !== undefined;
    this.#window = checkpoint?.window ?? emptyWindow;
  }

  static async open(
    folder: RunFolder,
    config: TrainingConfig,
    opened: OpenData,
    resume: boolean,
  ): Promise<TrainingRun> {
    const { data, source } = opened;
    const size = trainedCount(config, data);
    const checkpoint = resume ? await loadCheckpoint(folder.checkpointsPath, size, config) : undefined;
    const trainer = await Trainer.create({ config, data, ...(checkpoint && { state: checkpoint.state }) });
    const { device, threads } = trainer.placement;
    try {
      if (resume) await continueFolder(folder, checkpoint);
      else await folder.create({ ...config, ...networkOf(trainer), device, threads }, source);
    } catch (cause) {
      await trainer.dispose();
      throw cause;
    }
    return new TrainingRun(folder, trainer, opened, checkpoint);
  }

  async toEnd({ signal, onStart, onStep, onWarning }: TrainRunOptions): Promise<TrainRunResult> {
    const trainer = this.#trainer;
    const { device, threads } = trainer.placement;
    const parameters = trainer.parameterCount;
    const { iterations } = trainer.config;
    onStart?.({
      device,
      threads,
      parameters,
      iteration: trainer.iteration,
      iterations,
      samples: this.#data.data.count,
    });
    await this.#logStart(parameters, onWarning);
    while (!trainer.done && signal?.aborted !== true) await this.#step(onStep);
    if (!trainer.done) return this.#interrupted();
    await this.#folder.saveModel(trainer.model(this.#data.facts));
    const warnings = learnsSchedule(trainer.config) ? this.#lint(onWarning) : [];
    await this.#folder.log([...warnings, { event: "end", iteration: trainer.iteration }]);
    return { status: "finished", iteration: trainer.iteration, loss: this.#lastLoss };
  }

  async dispose(): Promise<void> {
    await this.#trainer.dispose();
  }

  async #logStart(parameters: number, onWarning: TrainRunOptions["onWarning"]): Promise<void> {
    const { device, threads } = this.#trainer.placement;
    const { iteration } = this.#trainer;
    if (this.#resumed) return this.#folder.log([{ event: "resume", iteration, device, threads }]);
    const start: LogEvent = { event: "start", device, threads, parameters };
    return this.#folder.log([start, ...this.#lint(onWarning)]);
  }

  /** Tells what is wrong with the schedule; of a learned one, as it is now. */
  #lint(onWarning: TrainRunOptions["onWarning"]): LogEvent[] {
    const { config, schedule } = this.#trainer;
    const warnings = lintSchedule(schedule, { parameterisation: config.prediction, config });
    warnings.forEach((message) => onWarning?.(message));
    return warnings.map((message) => ({ event: "warning", message }) as const);
  }

  async #step(onStep: TrainRunOptions["onStep"]): Promise<void> {
    const report = await this.#trainer.step();
    this.#window = extendWindow(this.#window, report.loss, report.gradientNorm);
    onStep?.(report);
    const { logEvery, checkpointEvery, iterations } = this.#trainer.config;
    const { iteration, learningRate } = report;
    if (iteration % logEvery === 0 || iteration === iterations) await this.#logProgress(iteration, learningRate);
    if (iteration % checkpointEvery === 0 || iteration === iterations) await this.#checkpoint();
  }

  async #logProgress(iteration: number, learningRate: number): Promise<void> {
    const { sum, gradientNormSum, count } = this.#window;
    this.#lastLoss = sum / count;
    this.#window = emptyWindow;
    const gradientNorm = gradientNormSum / count;
    await this.#folder.log([{ event: "progress", iteration, loss: this.#lastLoss, gradientNorm, learningRate }]);
  }

  async #checkpoint(): Promise<void> {
    await this.#folder.syncLog();
    await saveCheckpoint(this.#folder.checkpointsPath, { state: this.#trainer.state, window: this.#window });
  }

  async #interrupted(): Promise<TrainRunResult> {
    await this.#checkpoint();
    return { status: "interrupted", iteration: this.#trainer.iteration, loss: this.#lastLoss };
  }
}

/** The network of images as it is, whatever a preset of that name may be later. */
function networkOf({ config, denoiser }: Trainer): Pick<TrainingConfig, "network"> {
  if (config.kind === "points") return { network: null };
  return { network: { ...denoiserFile(denoiser), ...presetKey(config.network) } };
}

async function continueFolder(folder: RunFolder, checkpoint: Checkpoint | undefined): Promise<void> {
  await folder.sweep();
  await folder.rewindLog(checkpoint?.state.iteration);
}

/** Says in the file of a network which preset it came from. */
function presetKey(network: TrainingConfig["network"]): object {
  return typeof network === "object" ? {} : { _preset: network };
}

/** What may differ when a run goes on: where it runs, not what it computes. */
const PLACEMENT: readonly string[] = ["device", "threads"];

/**
 * The configuration with which a run goes on: its own, but for where it runs.
 * @throws UnnoiseError `usage` when another option differs from the run's
 */
export function resumedConfig(saved: TrainingConfig, given: Partial<TrainingConfig>): TrainingConfig {
  for (const [key, value] of Object.entries(given)) {
    const whole = saved[key as keyof TrainingConfig];
    const kept = typeof value === "string" && key === "network" ? (whole as NetworkFile)["_preset"] : whole;
    if (JSON.stringify(value) === JSON.stringify(kept) || PLACEMENT.includes(key)) continue;
    const change = `${key} was ${shown(kept)} in this run and cannot become ${shown(value)}`;
    throw new UnnoiseError("usage", `--resume: ${change}; leave the option out, or start a new run`);
  }
  return { ...saved, ...given };
}

/** A value on a line of text; long lists are cut. */
function shown(value: unknown): string {
  const text = String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
