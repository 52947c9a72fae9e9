import { learnedScheduleLoss } from "../diffusion/objectives/learned-schedule.ts";
import { batchLoss, checkObjective, type BatchLoss, type LossInputs } from "../diffusion/objectives/objective.ts";
import type { Weighting } from "../diffusion/objectives/weighting.ts";
import { scheduleFromConfig } from "../diffusion/schedules/schedule-config.ts";
import type { Parameter, Weights } from "../nn/parameters.ts";
import { learnsSchedule, type TrainingConfig } from "./config.ts";
import { denoiserParameters, denoiserPredict, type DenoiserConfig } from "./denoiser-spec.ts";
import { modelPredict } from "./model-predict.ts";
import { curveOf, scheduleParameters } from "./learned-schedule.ts";

/** What is trained, and the loss of a batch as a graph of it. */
export interface TrainedLoss {
  /** The network's, then those of a learned schedule. */
  readonly parameters: readonly Parameter[];
  readonly loss: (batch: LossInputs, weights: Weights) => BatchLoss;
}

/** Everything that a configuration trains, in the order of the flat vector. */
export function trainedParameters(config: TrainingConfig, denoiser: DenoiserConfig): Parameter[] {
  return [...denoiserParameters(denoiser), ...(learnsSchedule(config) ? scheduleParameters() : [])];
}

/**
 * The loss that a configuration asks for.
 * @param weighting instead of the configuration's: a function cannot stand in a file
 * @throws UnnoiseError `usage` for a schedule out of range, or a weighting where the bound is trained
 */
export function trainedLoss(config: TrainingConfig, denoiser: DenoiserConfig, weighting?: Weighting): TrainedLoss {
  const parameters = trainedParameters(config, denoiser);
  const objective = { ...config, weighting: weighting ?? config.weighting };
  checkObjective(objective);
  if (learnsSchedule(config)) {
    const predict = denoiserPredict(denoiser);
    return {
      parameters,
      loss: (batch, weights) => learnedScheduleLoss(batch, curveOf(weights), predict(weights), config),
    };
  }
  const schedule = scheduleFromConfig(config);
  const predict = modelPredict(denoiser, config, schedule);
  return { parameters, loss: (batch, weights) => batchLoss(batch, schedule, predict(weights), objective) };
}
