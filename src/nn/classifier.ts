import {
  averagePool,
  constant,
  detach,
  exp,
  gather,
  log,
  mean,
  mul,
  neg,
  pad,
  reduceMax,
  silu,
  sub,
  sum,
} from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { convolution, dense, groupNorm, parametersOf, type Layer } from "./layer.ts";
import type { Parameter, Weights } from "./parameters.ts";

/** A small classifier of images. */
export interface ClassifierConfig {
  /** Extents of an image, [C, H, W]. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** K: classes. */
  readonly classes: number;
  /** Channels after each block; each but the first halves height and width; the last is F, the number of features. */
  readonly channels: readonly number[];
  /** Groups of channels that are normalised together; divides all of `channels`. */
  readonly groups: number;
}

/** What a classifier says of images. */
export interface Classification {
  /** [B, F] */
  readonly features: Node;
  /** Unnormalised log probabilities [B, K]. */
  readonly logits: Node;
}

const EPSILON = 1e-5;

interface Block {
  readonly convolution: Layer;
  readonly norm: Layer;
}

function blocksOf({ shape, channels, groups }: ClassifierConfig): Block[] {
  return channels.map((outputs, i) => {
    const inputs = i === 0 ? shape[0] : at(channels, i - 1);
    return {
      convolution: convolution(`blocks.${i}.conv`, { inputs, outputs, padding: 1 }),
      norm: groupNorm(`blocks.${i}.norm`, outputs, groups, EPSILON),
    };
  });
}

const headOf = ({ channels, classes }: ClassifierConfig): Layer =>
  dense("head", at(channels, channels.length - 1), classes);

/**
 * The weights of a classifier.
 * @throws UnnoiseError `usage` when the groups do not divide a block's channels
 */
export function classifierParameters(config: ClassifierConfig): Parameter[] {
  const blocks = blocksOf(config).flatMap((block) => [block.convolution, block.norm]);
  return parametersOf([...blocks, headOf(config)]);
}

/** The mean of every 2 × 2 pixels; an odd height or width gets zeros at its end first. */
function halved(x: Node): Node {
  const odd = x.shape.map((extent, axis) => (axis < 2 ? 0 : extent % 2));
  return averagePool(odd.includes(1) ? pad(x, [0, 0, 0, 0], odd) : x);
}

/**
 * Features and logits: blocks of a 3×3 convolution, group normalisation and SiLU, between which 2×2 pixels are averaged; the
 * mean over the pixels that are left is the features; a linear layer makes logits of them. Averaging instead of convolutions of
 * stride 2, since the derivative of those is several times slower.
 * @param x [B, C, H, W] in [−1, 1]
 */
export function classify(x: Node, weights: Weights, config: ClassifierConfig): Classification {
  return scope("classifier", () => {
    const pass = { weights };
    const image = blocksOf(config).reduce(
      (inner, block, i) => silu(block.norm.apply(block.convolution.apply(i === 0 ? x : halved(inner), pass), pass)),
      x,
    );
    const features = mean(image, { axes: [2, 3] });
    return { features, logits: headOf(config).apply(features, pass) };
  });
}

/**
 * Mean cross-entropy −log softmax(logits)[label], in nats.
 * @param logits [B, K]
 * @param labels int32 [B] in 0…K−1
 * @returns a scalar
 */
export function crossEntropy(logits: Node, labels: Node): Node {
  return scope("crossEntropy", () => {
    const classes = at(logits.shape, 1);
    const oneHot = gather(constant(identity(classes), [classes, classes]), labels);
    const shifted = sub(logits, detach(reduceMax(logits, { axes: [1], keepDims: true })));
    const logProbability = sub(shifted, log(sum(exp(shifted), { axes: [1], keepDims: true })));
    return neg(mean(sum(mul(oneHot, logProbability), { axes: [1] })));
  });
}

const identity = (size: number): Float64Array =>
  Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
