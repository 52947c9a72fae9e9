import { z } from "zod";
import { add, broadcastTo, concat, constant, gather, silu } from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import { blocks, features, rows } from "./config-sizes.ts";
import { linear, linearParameters } from "./linear.ts";
import type { Network } from "./network.ts";
import type { Parameter, Weights } from "./parameters.ts";
import { timestepTable, type TimeEmbeddingOptions } from "./time-embedding.ts";

/** What an MLP denoiser is built from. */
export interface MlpConfig extends TimeEmbeddingOptions {
  /** D: columns of a point. */
  readonly dimensions: number;
  /** T: timesteps of the process. */
  readonly timesteps: number;
  readonly width: number;
  /** Residual blocks. */
  readonly depth: number;
  /** Features of the sinusoidal time embedding. */
  readonly timeFeatures: number;
  /** Whether it says something of the variance too: D more outputs, behind the prediction; false if absent. */
  readonly learnsVariance?: boolean;
}

const outputChannels = ({ dimensions, learnsVariance = false }: MlpConfig): number =>
  learnsVariance ? 2 * dimensions : dimensions;

/** Names, shapes and starting ranges of the weights. */
export function mlpParameters(config: MlpConfig): Parameter[] {
  const { dimensions, width, depth, timeFeatures } = config;
  const blocks = Array.from({ length: depth }, (_, i) => linearParameters(`block${i}`, width, width));
  return [
    ...linearParameters("input", dimensions + timeFeatures, width),
    ...blocks.flat(),
    ...linearParameters("output", width, outputChannels(config)),
  ];
}

/**
 * A residual multilayer perceptron that predicts the noise of points, or what else it is trained for:
 * h₀ = [x, φ(t)]·W + b, h_{i+1} = h_i + SiLU(h_i·W_i + b_i), ε_θ = h_depth·W + b, φ the sinusoidal time embedding.
 * @param xt [B, D] float32
 * @param steps [B] int32, 0-based; or [1] for one step that all rows share
 * @returns ε_θ [B, D]; with a learned variance [B, 2·D]
 */
export function mlp(xt: Node, steps: Node, weights: Weights, config: MlpConfig): Node {
  return scope("mlp", () => {
    const { timesteps, timeFeatures, depth } = config;
    const table = constant(timestepTable(timesteps, timeFeatures, config), [timesteps, timeFeatures]);
    const embedding = broadcastTo(gather(table, steps), [at(xt.shape, 0), timeFeatures]);
    let hidden = linear("input", concat([xt, embedding], 1), weights);
    for (let i = 0; i < depth; i++) hidden = add(hidden, silu(linear(`block${i}`, hidden, weights)));
    return linear("output", hidden, weights);
  });
}

/** Values of the table of step features. */
const LARGEST_TABLE = 2 ** 28;
const schema = z
  .looseObject({
    dimensions: features,
    timesteps: rows,
    width: features,
    depth: blocks,
    time_features: features,
    flip_sin_to_cos: z.boolean().default(false),
    freq_shift: z.number().min(0).max(1).default(1),
    learns_variance: z.boolean().default(false),
  })
  .refine(
    ({ timesteps, time_features }) => timesteps * time_features <= LARGEST_TABLE,
    `expected timesteps × time_features of at most ${LARGEST_TABLE}`,
  )
  .transform(({ dimensions, timesteps, width, depth, ...rest }): MlpConfig => {
    const { time_features: timeFeatures, flip_sin_to_cos: flipSinToCos, freq_shift: freqShift } = rest;
    return {
      dimensions,
      timesteps,
      width,
      depth,
      timeFeatures,
      flipSinToCos,
      freqShift,
      learnsVariance: rest.learns_variance,
    };
  });

/** The residual multilayer perceptron as a network. */
export const mlpNetwork: Network<MlpConfig> = {
  kind: "MlpDenoiser",
  schema,
  file: ({ dimensions, timesteps, width, depth, timeFeatures, ...rest }) => {
    const { flipSinToCos = false, freqShift = 1, learnsVariance = false } = rest;
    return {
      dimensions,
      timesteps,
      width,
      depth,
      time_features: timeFeatures,
      flip_sin_to_cos: flipSinToCos,
      freq_shift: freqShift,
      learns_variance: learnsVariance,
    };
  },
  sampleShape: ({ dimensions }) => [dimensions],
  outputChannels,
  classes: () => 0,
  parameters: mlpParameters,
  predict: ({ xt, steps }, weights, config) => mlp(xt, steps, weights, config),
};
