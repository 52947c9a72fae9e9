import { scheduleFromBetas } from "../src/diffusion/schedule.ts";
import { mlp, mlpParameters } from "../src/nn/mlp.ts";
import type { TrainStepOptions } from "../src/train/train-step.ts";
import type { Problem } from "./protocol.ts";

type Options = TrainStepOptions & Pick<Problem["hyper"], "emaDecay">;

/** The training step that all contenders compute. */
export function trainOptions(problem: Problem, betas: Float64Array): Options {
  return {
    ...problem.hyper,
    batchSize: problem.batchSize,
    sampleShape: [problem.dimensions],
    schedule: scheduleFromBetas(betas),
    parameters: mlpParameters(problem),
    predict: (weights) => (xt, steps) => mlp(xt, steps, weights, problem),
  };
}
