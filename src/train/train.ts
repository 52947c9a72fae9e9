import type { Dataset } from "../data/dataset.ts";
import { fitStandardiser, standardise } from "../data/standardise.ts";
import type { Weighting } from "../diffusion/objectives/weighting.ts";
import { UnnoiseError } from "../math/error.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import type { PointModel } from "./model.ts";
import { eventLoopPause } from "./event-loop.ts";
import { Trainer, type StepReport } from "./trainer.ts";
import { pointData } from "./training-data.ts";

/** Options that only a run folder or a toy set's name has a use for. */
type RunOptions = "data" | "dataNoise" | "dataSize" | "checkpointEvery" | "logEvery";

export interface TrainOptions extends Partial<Omit<TrainingConfig, RunOptions | "weighting">> {
  /** A weighting of L_simple by name, or a function of SNR and step. */
  readonly weighting?: Weighting;
  /** Called after each iteration. */
  readonly onStep?: (report: StepReport) => void;
  /** Stops training; the call then throws. */
  readonly signal?: AbortSignal;
}

/**
 * Trains a denoising diffusion model on points, in memory: in Node or a browser, nothing is written.
 * @param dataset points [N, D] in raw units
 * @param options any of the training options, `onStep` and `signal`
 * @returns the model with its averaged weights
 * @throws UnnoiseError `usage` for an option out of range, `device` when the device is not available, `not-finite` when training
 * diverges, `interrupted` after `signal`
 */
export async function train(
  dataset: Dataset,
  { onStep, signal, weighting = "uniform", ...options }: TrainOptions = {},
): Promise<PointModel> {
  const named = typeof weighting === "function" ? "uniform" : weighting;
  const config = parseTrainingConfig({ ...options, weighting: named, data: dataset.name });
  const standardiser = fitStandardiser(dataset.points);
  const points = standardise(dataset.points, standardiser);
  const trainer = await Trainer.create({ config, data: pointData(points), weighting });
  const pause = eventLoopPause();
  try {
    while (!trainer.done) {
      if (signal?.aborted === true)
        throw new UnnoiseError("interrupted", `training stopped at iteration ${trainer.iteration}`);
      const report = await trainer.step();
      onStep?.(report);
      await pause();
    }
    return trainer.model({ kind: "points", standardiser, columns: dataset.columns });
  } finally {
    await trainer.dispose();
  }
}
