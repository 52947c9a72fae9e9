import { learnedScheduleLoss } from "../diffusion/objectives/learned-schedule.ts";
import {
  batchLoss,
  checkObjective,
  type BatchLoss,
  type LossInputs,
  type Predict,
} from "../diffusion/objectives/objective.ts";
import type { Weighting } from "../diffusion/objectives/weighting.ts";
import { scheduleFromConfig } from "../diffusion/schedules/schedule-config.ts";
import type { Node } from "../graph/node.ts";
import type { NetworkInputs } from "../nn/network.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import type { Parameter, Weights } from "../nn/parameters.ts";
import { learnsSchedule, type TrainingConfig } from "./config.ts";
import { denoiserParameters, denoiserPredict } from "./denoiser-spec.ts";
import { modelPredict } from "./model-predict.ts";
import { curveOf, scheduleParameters } from "./learned-schedule.ts";

/** What is trained, and the loss of a batch as a graph of it. */
export interface TrainedLoss {
  /** The network's, then those of a learned schedule. */
  readonly parameters: readonly Parameter[];
  readonly loss: (batch: TrainedBatch, weights: Weights) => BatchLoss;
}

/** A batch as a graph sees it: what the objective needs, and what only the network does. */
export interface TrainedBatch extends LossInputs, Pick<NetworkInputs, "classLabels" | "dropout"> {}

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
    const network = denoiserPredict(denoiser);
    return {
      parameters,
      loss: (batch, weights) =>
        learnedScheduleLoss(batch, curveOf(weights), predictOf(network, batch, weights), config),
    };
  }
  const schedule = scheduleFromConfig(config);
  const network = modelPredict(denoiser, config, schedule);
  return {
    parameters,
    loss: (batch, weights) => batchLoss(batch, schedule, predictOf(network, batch, weights), objective),
  };
}

/** The network of a batch: its classes and dropout are fixed, x_t and the steps are the objective's. */
function predictOf(
  network: (inputs: NetworkInputs, weights: Weights) => Node,
  { classLabels, dropout }: TrainedBatch,
  weights: Weights,
): Predict {
  const given = { ...(classLabels && { classLabels }), ...(dropout && { dropout }) };
  return (xt, steps) => network({ xt, steps, ...given }, weights);
}
