import { input, split } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { Predict } from "../diffusion/objectives/objective.ts";
import { simpleLoss } from "../diffusion/objectives/simple-loss.ts";
import { adamw, clipScale, type AdamSettings } from "../nn/adamw.ts";
import { emaStep } from "../nn/ema.ts";
import { flatten, parameterCount, unflatten, type Parameter, type Weights } from "../nn/parameters.ts";

/** A batch and a network: all that loss and gradient need. */
export interface GradientOptions {
  readonly batchSize: number;
  /** Extents of one sample: [D] for points. */
  readonly sampleShape: readonly number[];
  readonly schedule: NoiseSchedule;
  readonly parameters: readonly Parameter[];
  readonly predict: (weights: Weights) => Predict;
}

export interface TrainStepOptions extends GradientOptions, AdamSettings {
  /** Largest gradient norm. */
  readonly clipNorm: number;
}

/** Names of the flat state vectors [P]; the whole step returns each as `next.<name>`. */
export const stateNames = ["weights", "mean", "square", "ema"] as const;
export type StateName = (typeof stateNames)[number];

/** L_simple on a batch (inputs x0, eps, steps) and its gradient with respect to each of `weights`, in order. */
function lossAndGradient(
  options: GradientOptions,
  weights: Weights,
): { readonly loss: Node; readonly gradient: Node[] } {
  const { batchSize, sampleShape, schedule, predict } = options;
  const batch = {
    x0: input("x0", [batchSize, ...sampleShape]),
    eps: input("eps", [batchSize, ...sampleShape]),
    steps: input("steps", [batchSize], "int32"),
  };
  const loss = simpleLoss(batch, schedule, predict(weights));
  return { loss, gradient: grad(loss, Object.values(weights)) };
}

/**
 * The part of a training step that the host's optimiser leaves to the graph: inputs are the batch and each weight by name;
 * outputs loss and `gradient.<name>`.
 */
export function gradientGraph(options: GradientOptions): Record<string, Node> {
  const weights = Object.fromEntries(options.parameters.map(({ name, shape }) => [name, input(name, shape)]));
  const { loss, gradient } = lossAndGradient(options, weights);
  return {
    loss,
    ...Object.fromEntries(options.parameters.map(({ name }, i) => [`gradient.${name}`, at(gradient, i)])),
  };
}

/**
 * One whole training step as a graph: noising, forward, backward, clipping, AdamW, EMA. Inputs: x0, eps, steps, the state and
 * rates [4], which are learning rate, 1/(1 − β1ⁱ), 1/(1 − β2ⁱ) and 1 − EMA decay; outputs: loss, gradientNorm and next.<state>.
 */
export function trainStepGraph(options: TrainStepOptions): Record<string, Node> {
  const { parameters, clipNorm } = options;
  const [weights, mean, square, ema] = stateNames.map((name) => input(name, [parameterCount(parameters)])) as Four;
  const [learningRate, meanCorrection, squareCorrection, oneMinusEmaDecay] = split(
    input("rates", [4]),
    0,
    [1, 1, 1, 1],
  ) as Four;
  const { loss, gradient } = lossAndGradient(options, unflatten(weights, parameters));
  const flat = flatten(gradient);
  const { scale, norm } = clipScale(flat, clipNorm);
  const settings = { ...options, learningRate, meanCorrection, squareCorrection };
  const next = adamw(flat, scale, { weights, mean, square }, settings);
  return {
    loss,
    gradientNorm: norm,
    "next.weights": next.weights,
    "next.mean": next.mean,
    "next.square": next.square,
    "next.ema": emaStep(ema, next.weights, oneMinusEmaDecay),
  };
}

type Four = [Node, Node, Node, Node];
