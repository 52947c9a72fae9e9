import { shortened, shown } from "../math/shown.ts";
import { summaryOf, type DataSummary } from "../data/summary.ts";
import { lintSchedule } from "../diffusion/lint.ts";
import { UnnoiseError } from "../math/error.ts";
import type { CompileOptions } from "../runtime/executable.ts";
import { loadCheckpoint, saveCheckpoint, type Checkpoint } from "./checkpoint.node.ts";
import { learnsSchedule, type NetworkFile, type TrainingConfig } from "./config.ts";
import { emptyWindow, extendWindow, type LossWindow } from "./loss-window.ts";
import { denoiserFile, parseDenoiser } from "./denoiser-spec.ts";
import { checkMemory, trainingMemory, type TrainingMemory } from "./memory.ts";
import type { MachineMemory } from "../math/machine-memory.ts";
import { machineMemory } from "../formats/machine-memory.node.ts";
import type { ImageModel } from "./model.ts";
import { openDataset, openImageData, openedImages, openedPoints, type OpenData } from "./open-data.node.ts";
import { RunFolder } from "./run-folder.node.ts";
import type { LogEvent, MeasureEvent } from "./run-log-event.ts";
import { RunLog } from "./run-log.node.ts";
import { RunMeasures, type Measured } from "./run-measures.node.ts";
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
  /** Called when a grid of samples or the bound has been made. */
  readonly onMeasure?: (event: MeasureEvent) => void;
  readonly onWarning?: (message: string) => void;
  /** What the machine has, in place of asking it. */
  readonly memory?: MachineMemory;
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
  /** What was understood of the data. */
  readonly summary: DataSummary;
  /** What training needs, in bytes, and what the machine has. */
  readonly memory: { readonly needed: TrainingMemory } & MachineMemory;
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
  if (resume) await folder.config();
  else await folder.checkFree({ overwrite });
  // A new run takes its folder when it makes it, so that what is refused before leaves none.
  if (!resume) await folder.checkUnlocked();
  let unlock = resume ? await folder.lock() : undefined;
  const take = async (): Promise<void> => {
    unlock ??= await folder.lock();
    // Another process may have made a run here meanwhile.
    await folder.checkFree({ overwrite });
  };
  try {
    const config = resume ? resumedConfig(await folder.config(), options.config) : options.config;
    const opened = await openedData(folder, config, options);
    const memory = memoryOf(config, opened, options.memory);
    const run = await TrainingRun.open(folder, config, opened, { resume, memory, take });
    return await run.toEnd(options).finally(() => run.dispose());
  } finally {
    await unlock?.();
  }
}

/** The data of a new run as its configuration names them, or those that a run was begun with. */
async function openedData(folder: RunFolder, config: TrainingConfig, options: TrainRunOptions): Promise<OpenData> {
  const { resume = false, onWarning, onOpening, signal } = options;
  if (config.kind === "points") {
    return openedPoints(resume ? await folder.dataset(config) : await openDataset(config), config);
  }
  const hooks = {
    ...(onWarning && { onWarning }),
    ...(onOpening && { onProgress: onOpening }),
    ...(signal && { signal }),
  };
  return openedImages(resume ? await folder.images(config, hooks) : await openImageData(config, hooks));
}

/**
 * What training needs and what there is.
 * @throws UnnoiseError `usage` where the host's memory does not suffice
 */
function memoryOf(
  config: TrainingConfig,
  { data }: OpenData,
  machine: MachineMemory = machineMemory(),
): TrainRunInfo["memory"] {
  const needed = trainingMemory(config, data);
  const isHost = ["auto", "cpu", "wasm"].includes(config.device);
  if (isHost) checkMemory(needed, machine, config);
  return { needed, ...machine };
}

/** How a run is opened. */
interface OpenRunOptions {
  readonly resume: boolean;
  readonly memory: TrainRunInfo["memory"];
  /** Takes the folder for a new run. */
  readonly take: () => Promise<void>;
}

/** What a run is made of. */
interface RunParts {
  readonly folder: RunFolder;
  readonly trainer: Trainer;
  readonly opened: OpenData;
  readonly log: RunLog;
  readonly measures: RunMeasures;
  readonly memory: TrainRunInfo["memory"];
  readonly checkpoint: Checkpoint | undefined;
  /** Of each damaged checkpoint that was passed over, and of the log. */
  readonly damages: readonly string[];
}

/** A trainer with its folder. */
class TrainingRun {
  readonly #parts: RunParts;
  readonly #trainer: Trainer;
  #window: LossWindow;
  #lastLoss: number | undefined;

  private constructor(parts: RunParts) {
    this.#parts = parts;
    this.#trainer = parts.trainer;
    this.#window = parts.checkpoint?.window ?? emptyWindow;
  }

  static async open(
    folder: RunFolder,
    config: TrainingConfig,
    opened: OpenData,
    { resume, memory, take }: OpenRunOptions,
  ): Promise<TrainingRun> {
    const { data, source } = opened;
    const measures = new RunMeasures(folder, config, "fingerprint" in source ? source : {});
    const size = trainedCount(config, data);
    const damages: string[] = [];
    const onDamage = (message: string): void => void damages.push(message);
    const checkpoint = resume ? await loadCheckpoint(folder.checkpointsPath, size, config, { onDamage }) : undefined;
    const trainer = await Trainer.create({ config, data, ...(checkpoint && { state: checkpoint.state }) });
    try {
      if (!resume) await take();
      const log = resume
        ? await continueFolder(folder, config, checkpoint, onDamage)
        : await makeFolder(folder, trainer, opened.source);
      return new TrainingRun({ folder, trainer, opened, log, measures, memory, checkpoint, damages });
    } catch (cause) {
      await trainer.dispose();
      throw cause;
    }
  }

  async toEnd(options: TrainRunOptions): Promise<TrainRunResult> {
    const { signal, onStart, onWarning } = options;
    const { folder, log, opened } = this.#parts;
    const trainer = this.#trainer;
    onStart?.(this.#info());
    await this.#logStart(onWarning);
    while (!trainer.done && signal?.aborted !== true) await this.#step(options);
    if (!trainer.done) return this.#interrupted();
    await folder.saveModel(trainer.model(opened.facts));
    const warnings = learnsSchedule(trainer.config) ? this.#lint(onWarning) : [];
    await log.add([...warnings, { event: "end", iteration: trainer.iteration }]);
    return { status: "finished", iteration: trainer.iteration, loss: this.#lastLoss };
  }

  async dispose(): Promise<void> {
    await this.#trainer.dispose();
  }

  #info(): TrainRunInfo {
    const { opened, memory } = this.#parts;
    const { placement, parameterCount: parameters, iteration, config } = this.#trainer;
    const { device, threads } = placement;
    const { iterations } = config;
    const summary = summaryOf(opened.source);
    return { device, threads, parameters, iteration, iterations, samples: opened.data.count, summary, memory };
  }

  async #logStart(onWarning: TrainRunOptions["onWarning"]): Promise<void> {
    const {
      log,
      checkpoint,
      damages,
      opened: { source },
    } = this.#parts;
    const { device, threads, parameters, iteration, summary } = this.#info();
    if (!checkpoint) {
      const odd = "warnings" in source ? (source.warnings ?? []) : [];
      odd.forEach((message) => onWarning?.(message));
      const told = odd.map((message) => ({ event: "warning", message }) as const);
      return log.add([{ event: "start", device, threads, parameters, summary }, ...told, ...this.#lint(onWarning)]);
    }
    const warnings = damages.map((message) => ({ event: "warning", message }) as const);
    damages.forEach((message) => onWarning?.(message));
    return log.add([...warnings, { event: "resume", iteration, device, threads }]);
  }

  /** Tells what is wrong with the schedule; of a learned one, as it is now. */
  #lint(onWarning: TrainRunOptions["onWarning"]): LogEvent[] {
    const { config, schedule } = this.#trainer;
    const warnings = lintSchedule(schedule, { parameterisation: config.prediction, config });
    warnings.forEach((message) => onWarning?.(message));
    return warnings.map((message) => ({ event: "warning", message }) as const);
  }

  async #step({ onStep, onMeasure }: TrainRunOptions): Promise<void> {
    const report = await this.#trainer.step();
    this.#window = extendWindow(this.#window, report.loss, report.gradientNorm);
    onStep?.(report);
    const { logEvery, checkpointEvery, iterations } = this.#trainer.config;
    const { iteration } = report;
    const isDue = (every: number): boolean => iteration % every === 0 || iteration === iterations;
    const progress = isDue(logEvery) ? [this.#progress(report)] : [];
    const { events, picture } = await this.#measure(iteration);
    events.forEach((event) => onMeasure?.(event));
    await this.#parts.log.add([...progress, ...events], picture);
    if (isDue(checkpointEvery)) await this.#checkpoint();
  }

  #progress({ iteration, learningRate }: StepReport): LogEvent {
    const { sum, gradientNormSum, count } = this.#window;
    this.#lastLoss = sum / count;
    this.#window = emptyWindow;
    return { event: "progress", iteration, loss: this.#lastLoss, gradientNorm: gradientNormSum / count, learningRate };
  }

  async #measure(iteration: number): Promise<Measured> {
    const { measures, opened } = this.#parts;
    const { config, placement } = this.#trainer;
    const model = (): ImageModel => this.#trainer.model(opened.facts) as ImageModel;
    const where: CompileOptions = {
      device: placement.device,
      ...(config.threads !== null && { threads: config.threads }),
    };
    return measures.after(iteration, model, where);
  }

  async #checkpoint(): Promise<void> {
    const { folder, log } = this.#parts;
    await log.sync();
    await saveCheckpoint(folder.checkpointsPath, { state: this.#trainer.state, window: this.#window });
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

async function makeFolder(folder: RunFolder, trainer: Trainer, source: OpenData["source"]): Promise<RunLog> {
  const { config, placement } = trainer;
  const { device, threads } = placement;
  await folder.create({ ...config, ...networkOf(trainer), device, threads }, source);
  return RunLog.of(folder, config);
}

async function continueFolder(
  folder: RunFolder,
  config: TrainingConfig,
  checkpoint: Checkpoint | undefined,
  onDamage: (message: string) => void,
): Promise<RunLog> {
  await folder.sweep();
  return RunLog.rewound(folder, config, checkpoint?.state.iteration, onDamage);
}

/** Says in the file of a network which preset it came from. */
function presetKey(network: TrainingConfig["network"]): object {
  return typeof network === "object" && network !== null ? {} : { _preset: network };
}

/** What may differ when a run goes on: where it runs, not what it computes. */
const PLACEMENT: readonly string[] = ["device", "threads"];

/**
 * The configuration with which a run goes on: its own, but for where it runs.
 * @throws UnnoiseError `usage` when another option differs from the run's
 */
export function resumedConfig(saved: TrainingConfig, given: Partial<TrainingConfig>): TrainingConfig {
  for (const [key, value] of Object.entries(given)) {
    const kept = saved[key as keyof TrainingConfig];
    if (PLACEMENT.includes(key) || JSON.stringify(value) === JSON.stringify(kept)) continue;
    if (key === "network" && isSameNetwork(saved.network, given.network ?? null)) continue;
    const change = `${key} was ${briefly(kept)} in this run and cannot become ${briefly(value)}`;
    throw new UnnoiseError("usage", `--resume: ${change}; leave the option out, or start a new run`);
  }
  const placement = Object.entries(given).filter(([key]) => PLACEMENT.includes(key));
  return { ...saved, ...Object.fromEntries(placement) };
}

/** Whether a network is the one that a run keeps in full: by the name of its preset, or as a file that may leave defaults out. */
function isSameNetwork(saved: TrainingConfig["network"], given: TrainingConfig["network"]): boolean {
  if (saved === null || typeof saved === "string") return false;
  const { _preset: preset, ...file } = saved;
  if (given === null || typeof given === "string") return preset === given;
  return JSON.stringify(denoiserFile(parseDenoiser(given, "network"))) === JSON.stringify(file);
}

/** A value on a line of text; long lists are cut. */
function briefly(value: unknown): string {
  const { _preset: preset, _class_name: name } = (typeof value === "object" && value ? value : {}) as NetworkFile;
  const text = String(preset ?? (name === undefined ? value : `a ${shown(name)}`));
  return shortened(text, 40);
}
