import {
  add,
  conv2d,
  gather,
  groupNorm as normaliseGroups,
  layerNorm as normaliseLast,
  matmul,
  reshape,
  type Conv2dOptions,
} from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { UnnoiseError } from "../math/error.ts";
import { weightOf } from "./linear.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";
import type { Parameter, Weights } from "./parameters.ts";

/** What one pass through a network brings to all of its layers. */
export interface Pass {
  readonly weights: Weights;
  /** Drops at a rate in [0, 1) and scales what is left; absent: nothing is dropped, as in sampling. */
  readonly dropout?: ((x: Node, rate: number) => Node) | undefined;
}

/** A part of a network: one description gives the weights and what is computed of them, so that names cannot drift apart. */
export interface Layer<P extends Pass = Pass> {
  readonly parameters: readonly Parameter[];
  readonly apply: (x: Node, pass: P) => Node;
}

/**
 * How weights start: `pytorch` uniform in ±1/√inputs, the bias too; `xavier` uniform in ±√(6/(inputs + outputs)) (Glorot & Bengio
 * 2010), `zero`, or normal with a deviation, these three with biases of 0.
 */
export type Start = "pytorch" | "xavier" | "zero" | { readonly deviation: number };

interface Fan {
  readonly inputs: number;
  readonly outputs: number;
}

function starting(start: Start, { inputs, outputs }: Fan): Pick<Parameter, "bound" | "deviation"> {
  if (start === "pytorch") return { bound: 1 / Math.sqrt(inputs) };
  if (start === "xavier") return { bound: Math.sqrt(6 / (inputs + outputs)) };
  return start === "zero" ? { bound: 0 } : { bound: 0, deviation: start.deviation };
}

function weightAndBias(name: string, shape: Shape, fan: Fan, start: Start): Parameter[] {
  const bias = start === "pytorch" ? starting(start, fan) : { bound: 0 };
  return [
    { name: `${name}.weight`, shape, ...starting(start, fan) },
    { name: `${name}.bias`, shape: shape.slice(0, 1), ...bias },
  ];
}

/** x·Wᵀ + b along the last axis, W [outputs, inputs] as in PyTorch's `nn.Linear`. */
export function dense(name: string, inputs: number, outputs: number, start: Start = "pytorch"): Layer {
  return {
    parameters: weightAndBias(name, [outputs, inputs], { inputs, outputs }, start),
    apply: (x, { weights }) =>
      scope(name, () => {
        const rows = reshape(x, [sizeOf(x.shape) / inputs, inputs]);
        const product = matmul(rows, weightOf(weights, `${name}.weight`), { transposeB: true });
        const sum = add(product, weightOf(weights, `${name}.bias`));
        return reshape(sum, [...x.shape.slice(0, -1), outputs]);
      }),
  };
}

/** A convolution by its extents. */
export interface ConvolutionSize extends Conv2dOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Width and height of the kernel; 3 if absent. */
  readonly kernel?: number;
}

/** A convolution with W [outputs, inputs/groups, k, k] and b as in PyTorch's `nn.Conv2d`. */
export function convolution(
  name: string,
  { inputs, outputs, kernel = 3, ...options }: ConvolutionSize,
  start: Start = "pytorch",
): Layer {
  const groups = options.groups ?? 1;
  const fan = { inputs: (inputs / groups) * kernel ** 2, outputs };
  return {
    parameters: weightAndBias(name, [outputs, inputs / groups, kernel, kernel], fan, start),
    apply: (x, { weights }) =>
      scope(name, () => conv2d(x, weightOf(weights, `${name}.weight`), weightOf(weights, `${name}.bias`), options)),
  };
}

const affine = (name: string, channels: number): Parameter[] => [
  { name: `${name}.weight`, shape: [channels], bound: 0, start: 1 },
  { name: `${name}.bias`, shape: [channels], bound: 0 },
];

/**
 * Group normalisation of [N, C, H, W] with weight and bias (Wu & He 2018, arXiv 1803.08494).
 * @throws UnnoiseError `usage` when the groups do not divide the channels
 */
export function groupNorm(name: string, channels: number, groups: number, epsilon: number): Layer {
  if (channels % groups !== 0) {
    throw new UnnoiseError(
      "usage",
      `${name}: ${groups} groups do not divide ${channels} channels; change norm_num_groups or the channels`,
    );
  }
  return {
    parameters: affine(name, channels),
    apply: (x, { weights }) =>
      scope(name, () =>
        normaliseGroups(x, groups, epsilon, weightOf(weights, `${name}.weight`), weightOf(weights, `${name}.bias`)),
      ),
  };
}

/** Layer normalisation over the last axis with weight and bias (Ba et al. 2016, arXiv 1607.06450). */
export function layerNorm(name: string, features: number, epsilon: number): Layer {
  return {
    parameters: affine(name, features),
    apply: (x, { weights }) =>
      scope(name, () =>
        normaliseLast(x, epsilon, weightOf(weights, `${name}.weight`), weightOf(weights, `${name}.bias`)),
      ),
  };
}

/** A row of `features` for each label of an int32 list [N]; rows start normal with standard deviation `deviation`. */
export function embedding(name: string, rows: number, features: number, deviation = 1): Layer {
  return {
    parameters: [{ name: `${name}.weight`, shape: [rows, features], bound: 0, deviation }],
    apply: (labels, { weights }) => scope(name, () => gather(weightOf(weights, `${name}.weight`), labels)),
  };
}

/** All weights of some parts, in their order. */
export function parametersOf(layers: readonly (Pick<Layer, "parameters"> | undefined)[]): Parameter[] {
  return layers.flatMap((layer) => layer?.parameters ?? []);
}
