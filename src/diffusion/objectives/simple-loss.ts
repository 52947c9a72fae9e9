import type { Node } from "../../graph/node.ts";
import type { NoiseSchedule } from "../schedule.ts";
import { batchLoss, type LossInputs, type Predict } from "./objective.ts";

/**
 * The simplified objective L_simple = E‖ε − ε_θ(√ᾱ_t·x_0 + √(1 − ᾱ_t)·ε, t)‖² (Ho et al. 2020, eq. 14, arXiv 2006.11239), as the
 * mean over batch and dimensions: `batchLoss` as it is by default.
 * @param schedule gives √ᾱ_t and √(1 − ᾱ_t)
 * @returns a float32 scalar node
 */
export function simpleLoss(inputs: LossInputs, schedule: NoiseSchedule, predict: Predict): Node {
  return batchLoss(inputs, schedule, predict).loss;
}
