import { scheduleConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { UnnoiseError, invariant } from "../math/error.ts";
import { parameterCount } from "../nn/parameters.ts";
import { loadCheckpoint } from "./checkpoint.node.ts";
import { learnsSchedule, type TrainingConfig } from "./config.ts";
import { denoiserParameters } from "./denoiser-spec.ts";
import { frozenSchedule } from "./learned-schedule.ts";
import { namedWeights, type AnyModel } from "./model.ts";
import type { RunFolder } from "./run-folder.node.ts";
import { trainedParameters } from "./training-loss.ts";
import type { TrainingState } from "./trainer.ts";

/** Which weights of a run: `ema`, those of its model; `raw`, as the optimiser left them; or the average with this decay. */
export type WeightsChoice = "ema" | "raw" | number;

/**
 * The model of a run with other weights than its own: those of the last checkpoint.
 * @param model the run's own, which is given back for `ema`
 * @throws UnnoiseError `usage` for a decay that the run keeps no average of, `run-folder` when it has no checkpoint, or a damaged one
 */
export async function modelOfCheckpoint<M extends AnyModel>(
  folder: RunFolder,
  model: M,
  choice: WeightsChoice,
): Promise<M> {
  if (choice === "ema") return model;
  const config = await folder.config();
  checkKept(folder, config, choice);
  const size = parameterCount(trainedParameters(config, model.denoiser));
  const checkpoint = await loadCheckpoint(folder.checkpointsPath, size, config);
  if (checkpoint === undefined) {
    throw new UnnoiseError("run-folder", `${folder.path} has no checkpoint; use the weights of its model, ema`);
  }
  const flat = vectorOf(checkpoint.state, config, choice);
  const learned = learnsSchedule(config) ? { schedule: learnedBetas(flat, config, model) } : {};
  return { ...model, ...learned, weights: namedWeights(flat, model.denoiser) };
}

function checkKept({ path }: RunFolder, { emaDecay, moreEmaDecays }: TrainingConfig, choice: "raw" | number): void {
  const kept = [emaDecay, ...moreEmaDecays];
  if (choice === "raw" || kept.includes(choice)) return;
  const expected = `expected ema, raw or ${kept.length === 1 ? "" : "one of "}${kept.join(", ")}`;
  throw new UnnoiseError("usage", `weights: ${path} keeps no average with decay ${choice}; ${expected}`);
}

function vectorOf(
  { vectors, averages = [] }: TrainingState,
  { emaDecay, moreEmaDecays }: TrainingConfig,
  choice: "raw" | number,
): Float32Array {
  if (choice === "raw") return vectors.weights;
  if (choice === emaDecay) return vectors.ema;
  const average = averages[moreEmaDecays.indexOf(choice)];
  invariant(average, "the checkpoint was read with this configuration");
  return average;
}

/** The schedule that these weights learned, which are the last of the vector. */
function learnedBetas(flat: Float32Array, { timesteps }: TrainingConfig, { denoiser }: AnyModel): ScheduleConfig {
  const own = parameterCount(denoiserParameters(denoiser));
  const { betas } = frozenSchedule(flat.slice(own), timesteps);
  return scheduleConfig("learned", { timesteps, betas: [...betas] });
}
