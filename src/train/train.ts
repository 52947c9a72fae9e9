import type { Dataset } from "../data/dataset.ts";
import type { ImageDataset } from "../data/images.ts";
import { dataWarnings } from "../data/column-findings.ts";
import { checkLearnable, fitStandardiser, standardise } from "../data/standardise.ts";
import type { Weighting } from "../diffusion/objectives/weighting.ts";
import { UnnoiseError } from "../math/error.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import type { AnyModel, DiffusionModel, ImageModel, PointModel } from "./model.ts";
import { eventLoopPause } from "./event-loop.ts";
import { Trainer, type StepReport } from "./trainer.ts";
import { imageData, pointData, type TrainingData } from "./training-data.ts";

/** Options that only a run folder, a toy set's name or files of images have a use for. */
type RunOptions =
  | "data"
  | "kind"
  | "dataNoise"
  | "dataSize"
  | "drop"
  | "imageSize"
  | "channels"
  | "crop"
  | "broken"
  | "folders"
  | "holdOut"
  | "sampleEvery"
  | "boundEvery"
  | "tensorboard"
  | "checkpointEvery"
  | "logEvery";

export interface TrainOptions extends Partial<Omit<TrainingConfig, RunOptions | "weighting">> {
  /** A weighting of L_simple by name, or a function of SNR and step. */
  readonly weighting?: Weighting;
  /** Is told in one line each of what is odd about the data, before training. */
  readonly onWarning?: (message: string) => void;
  /** Called after each iteration. */
  readonly onStep?: (report: StepReport) => void;
  /** Stops training; the call then throws. */
  readonly signal?: AbortSignal;
}

/**
 * Trains a denoising diffusion model on points or images, in memory: in Node or a browser, nothing is written.
 * @param dataset points [N, D] in raw units, or images
 * @param options any of the training options, `onStep` and `signal`
 * @returns the model with its averaged weights
 * @throws UnnoiseError `usage` for an option out of range, `device` when the device is not available, `not-finite` when training
 * diverges, `interrupted` after `signal`
 */
export async function train(dataset: Dataset, options?: TrainOptions): Promise<PointModel>;
export async function train(dataset: ImageDataset, options?: TrainOptions): Promise<ImageModel>;
export async function train(dataset: Dataset | ImageDataset, options: TrainOptions = {}): Promise<AnyModel> {
  if ("fingerprint" in dataset) {
    const facts = { kind: "images", ...(dataset.classes && { classes: dataset.classes }) } as const;
    return { ...(await trained(dataset.name, imageData(dataset), options)), ...facts };
  }
  checkLearnable(dataset.points, dataset.name);
  if (options.onWarning) dataWarnings(dataset).forEach(options.onWarning);
  const standardiser = fitStandardiser(dataset.points, options.scale);
  const data = pointData(standardise(dataset.points, standardiser));
  return { ...(await trained(dataset.name, data, options)), kind: "points", standardiser, columns: dataset.columns };
}

/** Trains to the end. */
async function trained(
  name: string,
  data: TrainingData,
  { onStep, onWarning: _, signal, weighting = "uniform", ...options }: TrainOptions,
): Promise<DiffusionModel> {
  const named = typeof weighting === "function" ? "uniform" : weighting;
  const config = parseTrainingConfig({ ...options, weighting: named, data: name, kind: data.kind });
  const trainer = await Trainer.create({ config, data, weighting });
  const pause = eventLoopPause();
  try {
    while (!trainer.done) {
      if (signal?.aborted === true)
        throw new UnnoiseError("interrupted", `training stopped at iteration ${trainer.iteration}`);
      const report = await trainer.step();
      onStep?.(report);
      await pause();
    }
    return trainer.model({ kind: data.kind });
  } finally {
    await trainer.dispose();
  }
}
