import { input, split } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { adamw, clipScale, type AdamSettings } from "../nn/adamw.ts";
import { emaStep } from "../nn/ema.ts";
import { flatten, parameterCount, unflatten, type Weights } from "../nn/parameters.ts";
import type { TrainedLoss } from "./training-loss.ts";

/** A batch and a loss: all that the gradient needs. */
export interface GradientOptions extends TrainedLoss {
  readonly batchSize: number;
  /** Extents of one sample: [D] for points. */
  readonly sampleShape: readonly number[];
  /** Whether rows have weights, the input lossWeights [B], and the output losses [B]; false if absent. */
  readonly weightedRows?: boolean;
}

export interface TrainStepOptions extends GradientOptions, AdamSettings {
  /** Largest gradient norm. */
  readonly clipNorm: number;
}

/** Names of the flat state vectors [P]; the whole step returns each as `next.<name>`. */
export const stateNames = ["weights", "mean", "square", "ema"] as const;
export type StateName = (typeof stateNames)[number];

/** What a batch gives: its loss, the loss of each row where rows have weights, and the gradient of each of `weights`, in order. */
interface Descent {
  readonly results: Record<string, Node>;
  readonly gradient: Node[];
}

/** The loss of a batch (inputs x0, eps, steps) and its gradient. */
function descend(options: GradientOptions, weights: Weights): Descent {
  const { batchSize, sampleShape, weightedRows = false } = options;
  const batch = {
    x0: input("x0", [batchSize, ...sampleShape]),
    eps: input("eps", [batchSize, ...sampleShape]),
    steps: input("steps", [batchSize], "int32"),
    ...(weightedRows && { lossWeights: input("lossWeights", [batchSize]) }),
  };
  const { loss, losses, descent = loss } = options.loss(batch, weights);
  return { results: { loss, ...(losses && { losses }) }, gradient: grad(descent, Object.values(weights)) };
}

/**
 * The part of a training step that the host's optimiser leaves to the graph: inputs are the batch and each weight by name;
 * outputs loss, losses where rows have weights, and `gradient.<name>`.
 */
export function gradientGraph(options: GradientOptions): Record<string, Node> {
  const weights = Object.fromEntries(options.parameters.map(({ name, shape }) => [name, input(name, shape)]));
  const { results, gradient } = descend(options, weights);
  return {
    ...results,
    ...Object.fromEntries(options.parameters.map(({ name }, i) => [`gradient.${name}`, at(gradient, i)])),
  };
}

/**
 * One whole training step as a graph: noising, forward, backward, clipping, AdamW, EMA. Inputs: x0, eps, steps, the state and
 * rates [4], which are learning rate, 1/(1 − β1ⁱ), 1/(1 − β2ⁱ) and 1 − EMA decay; outputs: loss, losses where rows have weights, gradientNorm and
 * next.<state>.
 */
export function trainStepGraph(options: TrainStepOptions): Record<string, Node> {
  const { parameters, clipNorm } = options;
  const [weights, mean, square, ema] = stateNames.map((name) => input(name, [parameterCount(parameters)])) as Four;
  const [learningRate, meanCorrection, squareCorrection, oneMinusEmaDecay] = split(
    input("rates", [4]),
    0,
    [1, 1, 1, 1],
  ) as Four;
  const { results, gradient } = descend(options, unflatten(weights, parameters));
  const flat = flatten(gradient);
  const { scale, norm } = clipScale(flat, clipNorm);
  const settings = { ...options, learningRate, meanCorrection, squareCorrection };
  const next = adamw(flat, scale, { weights, mean, square }, settings);
  return {
    ...results,
    gradientNorm: norm,
    "next.weights": next.weights,
    "next.mean": next.mean,
    "next.square": next.square,
    "next.ema": emaStep(ema, next.weights, oneMinusEmaDecay),
  };
}

type Four = [Node, Node, Node, Node];
