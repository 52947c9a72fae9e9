import { dropout, input, split } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { topologicalOrder } from "../graph/traverse.ts";
import { at } from "../math/error.ts";
import { adamw, clipScale, type AdamSettings } from "../nn/adamw.ts";
import { emaStep } from "../nn/ema.ts";
import { flatten, parameterCount, unflatten, type Weights } from "../nn/parameters.ts";
import type { Shape } from "../tensor/tensor.ts";
import type { TrainedLoss } from "./training-loss.ts";

/** A batch and a loss: all that the gradient needs. */
export interface GradientOptions extends TrainedLoss {
  /** Rows that go through the network at once. */
  readonly batchSize: number;
  /** Extents of one sample: [D] for points. */
  readonly sampleShape: readonly number[];
  /** Whether rows have classes, the input classLabels [B]; false if absent. */
  readonly conditional?: boolean;
  /** Whether the backward pass computes activations again rather than keeping them; false if absent. */
  readonly recompute?: boolean;
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

/** A dropout of activations: which it keeps is the bool input `name`. */
export interface DropoutMask {
  readonly name: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** The part of a training step that runs as a graph, and the masks that it is to be fed. */
export interface StepGraph {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly masks: readonly DropoutMask[];
}

/** What a batch gives: its loss, the loss of each row where rows have weights, and the gradient of each of `weights`, in order. */
interface Descent {
  readonly results: Record<string, Node>;
  readonly gradient: Node[];
  readonly masks: readonly DropoutMask[];
}

/** The loss of a batch (inputs x0, eps, steps, and the classes and masks where there are any) and its gradient. */
function descend(options: GradientOptions, weights: Weights): Descent {
  const { batchSize, sampleShape, conditional = false, weightedRows = false, recompute = false } = options;
  const masks: DropoutMask[] = [];
  const batch = {
    x0: input("x0", [batchSize, ...sampleShape]),
    eps: input("eps", [batchSize, ...sampleShape]),
    steps: input("steps", [batchSize], "int32"),
    ...(conditional && { classLabels: input("classLabels", [batchSize], "int32") }),
    ...(weightedRows && { lossWeights: input("lossWeights", [batchSize]) }),
    dropout: (x: Node, rate: number): Node => {
      const mask = { name: `keep.${masks.length}`, shape: x.shape, rate };
      masks.push(mask);
      return dropout(x, input(mask.name, mask.shape, "bool"), rate);
    },
  };
  const { loss, losses, descent = loss } = options.loss(batch, weights);
  const gradient = grad(descent, Object.values(weights), { recompute });
  return { results: { loss, ...(losses && { losses }) }, gradient, masks };
}

/**
 * The part of a training step that the host's optimiser leaves to the graph: inputs are the batch and each weight by name;
 * outputs loss, losses where rows have weights, and `gradient.<name>`.
 */
export function gradientGraph(options: GradientOptions): StepGraph {
  const weights = Object.fromEntries(options.parameters.map(({ name, shape }) => [name, input(name, shape)]));
  const { results, gradient, masks } = descend(options, weights);
  const gradients = new Map(options.parameters.map(({ name }, i) => [name, at(gradient, i)]));
  const used = inOrderOfUse(Object.values(results), weights);
  const outputs = used.map((name) => [`gradient.${name}`, gradients.get(name) as Node] as const);
  return { outputs: { ...results, ...Object.fromEntries(outputs) }, masks };
}

/**
 * Names of the weights in the order in which the way forward meets them. ONNX Runtime computes the last result first, with all it
 * depends on: the gradients of the last layers, while what they need is at hand, then those of the layers before.
 */
function inOrderOfUse(results: readonly Node[], weights: Weights): string[] {
  const place = new Map(topologicalOrder(results).map((node, i) => [node, i]));
  const placeOf = (name: string): number => place.get(weights[name] as Node) ?? 0;
  return Object.keys(weights).sort((a, b) => placeOf(a) - placeOf(b));
}

/**
 * One whole training step as a graph: noising, forward, backward, clipping, AdamW, EMA. Inputs: x0, eps, steps, the state and
 * rates [4], which are learning rate, 1/(1 − β1ⁱ), 1/(1 − β2ⁱ) and 1 − EMA decay; outputs: loss, losses where rows have weights, gradientNorm and
 * next.<state>.
 */
export function trainStepGraph(options: TrainStepOptions): StepGraph {
  const { parameters, clipNorm } = options;
  const [weights, mean, square, ema] = stateNames.map((name) => input(name, [parameterCount(parameters)])) as Four;
  const [learningRate, meanCorrection, squareCorrection, oneMinusEmaDecay] = split(
    input("rates", [4]),
    0,
    [1, 1, 1, 1],
  ) as Four;
  const { results, gradient, masks } = descend(options, unflatten(weights, parameters));
  const flat = flatten(gradient);
  const { scale, norm } = clipScale(flat, clipNorm);
  const settings = { ...options, learningRate, meanCorrection, squareCorrection };
  const next = adamw(flat, scale, { weights, mean, square }, settings);
  const outputs = {
    ...results,
    gradientNorm: norm,
    "next.weights": next.weights,
    "next.mean": next.mean,
    "next.square": next.square,
    "next.ema": emaStep(ema, next.weights, oneMinusEmaDecay),
  };
  return { outputs, masks };
}

type Four = [Node, Node, Node, Node];
