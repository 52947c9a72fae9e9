import { input, split } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { simpleLoss, type Predict } from "../diffusion/simple-loss.ts";
import { adamw, clipScale } from "../nn/adamw.ts";
import { emaStep } from "../nn/ema.ts";
import { flatten, parameterCount, unflatten, type Parameter, type Weights } from "../nn/parameters.ts";

export interface TrainStepOptions {
  readonly batchSize: number;
  /** Extents of one sample: [D] for points. */
  readonly sampleShape: readonly number[];
  readonly alphasCumprod: Float64Array;
  readonly parameters: readonly Parameter[];
  readonly predict: (weights: Weights) => Predict;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest gradient norm. */
  readonly clipNorm: number;
}

/** Names of the flat state vectors [P]; the step returns each as `next.<name>`. */
export const stateNames = ["weights", "mean", "square", "ema"] as const;
export type StateName = (typeof stateNames)[number];

/** Order of the scalars in the `rates` input. */
export const rateNames = ["learningRate", "meanCorrection", "squareCorrection", "oneMinusEmaDecay"] as const;

/**
 * One whole training step as a graph: noising, forward, backward, clipping, AdamW, EMA. Inputs: x0, eps, steps, rates [4] and the
 * state; outputs: loss, gradientNorm and next.<state>.
 */
export function trainStepGraph(options: TrainStepOptions): Record<string, Node> {
  const { batchSize, sampleShape, parameters, alphasCumprod } = options;
  const [weights, mean, square, ema] = stateNames.map((name) => input(name, [parameterCount(parameters)])) as Four;
  const rates = split(input("rates", [rateNames.length]), 0, [1, 1, 1, 1]) as Four;
  const batch = {
    x0: input("x0", [batchSize, ...sampleShape]),
    eps: input("eps", [batchSize, ...sampleShape]),
    steps: input("steps", [batchSize], "int32"),
  };
  const named = unflatten(weights, parameters);
  const loss = simpleLoss(batch, alphasCumprod, options.predict(named));
  const gradient = flatten(grad(loss, Object.values(named)));
  const { scale, norm } = clipScale(gradient, options.clipNorm);
  const [learningRate, meanCorrection, squareCorrection, oneMinusEmaDecay] = rates;
  const settings = { ...options, learningRate, meanCorrection, squareCorrection };
  const next = adamw(gradient, scale, { weights, mean, square }, settings);
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
