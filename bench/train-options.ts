import { batchLoss } from "../src/diffusion/objectives/objective.ts";
import { scheduleFromBetas } from "../src/diffusion/schedule.ts";
import { mlp, mlpParameters } from "../src/nn/mlp.ts";
import type { TrainStepOptions } from "../src/train/train-step.ts";
import type { Problem } from "./protocol.ts";

type Options = TrainStepOptions & Pick<Problem["hyper"], "emaDecay">;

/** The training step that all contenders compute. */
export function trainOptions(problem: Problem, betas: Float64Array): Options {
  const schedule = scheduleFromBetas(betas);
  return {
    ...problem.hyper,
    batchSize: problem.batchSize,
    sampleShape: [problem.dimensions],
    parameters: mlpParameters(problem),
    loss: (batch, weights) => batchLoss(batch, schedule, (xt, steps) => mlp(xt, steps, weights, problem)),
  };
}
