import { z } from "zod";
import {
  add,
  checkpoint,
  concat,
  gelu,
  mul,
  reshape,
  silu,
  split,
  transpose,
  upsampleNearest,
} from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { at } from "../math/error.ts";
import type { Shape } from "../tensor/tensor.ts";
import * as sizes from "./config-sizes.ts";
import { checkImage, sidesOf, type SampleSize } from "./image-check.ts";
import { convolution, dense, embedding, layerNorm, parametersOf, type Layer, type Pass } from "./layer.ts";
import type { Network, NetworkInputs } from "./network.ts";
import type { Parameter, Weights } from "./parameters.ts";
import { featureEmbedding, withClass } from "./step-embedding.ts";
import { sinusoidalFeatures } from "./step-features.ts";
import { strictConfig } from "./strict-config.ts";

/** Configuration of a ConvNeXt-style U-Net. */
export interface ConvNextUNetConfig {
  readonly sample_size: SampleSize;
  readonly in_channels: number;
  /** Twice `in_channels` where the variance is learned. */
  readonly out_channels: number;
  /** Channels of each level; the image halves from one to the next. */
  readonly block_out_channels: readonly number[];
  /** Blocks of a level, on the way down and again on the way up. */
  readonly layers_per_block: number;
  /** Side of the depthwise kernels, odd. */
  readonly kernel_size: number;
  /** How much wider a block is inside. */
  readonly expansion: number;
  readonly dropout: number;
  /** Rows of the table of classes; null for no classes. */
  readonly num_class_embeds: number | null;
}

const extents = {
  sample_size: z.union([sizes.side, z.tuple([sizes.side, sizes.side])]),
  in_channels: sizes.features.default(3),
  out_channels: sizes.features.default(3),
  block_out_channels: z.array(sizes.features.multipleOf(2).min(4)).min(1).max(sizes.MOST_LEVELS).default([32, 64, 128]),
  layers_per_block: sizes.blocksOfLevel.default(2),
  kernel_size: sizes.kernel.refine((side) => side % 2 === 1, "expected an odd number").default(7),
  expansion: sizes.kernel.default(4),
  dropout: z.number().min(0).lt(1).default(0),
  num_class_embeds: sizes.rows.nullable().default(null),
};
const KIND = "ConvNextUNet";
const EPSILON = 1e-6;

interface BlockPass extends Pass {
  /** Embedding of step and class after SiLU, [B, E] or [1, E]. */
  readonly embedding: Node;
}

const embeddingWidth = ({ block_out_channels: channels }: ConvNextUNetConfig): number => 4 * at(channels, 0);
const channelsLast = (x: Node): Node => transpose(x, [0, 2, 3, 1]);
const channelsFirst = (x: Node): Node => transpose(x, [0, 3, 1, 2]);

/** Layer normalisation over the channels of every pixel of [B, C, H, W]. */
function channelNorm(name: string, channels: number): Layer {
  const norm = layerNorm(name, channels, EPSILON);
  return { ...norm, apply: (x, pass) => channelsFirst(norm.apply(channelsLast(x), pass)) };
}

/** x + W₂·GELU(W₁·(norm(depthwise x)·(1 + a) + b)), a and b from the embedding (Liu et al. 2022, figure 4). */
function block(name: string, channels: number, config: ConvNextUNetConfig): Layer<BlockPass> {
  const { kernel_size: kernel, expansion, dropout } = config;
  const padding = (kernel - 1) / 2;
  const spatial = convolution(`${name}.dwconv`, {
    inputs: channels,
    outputs: channels,
    kernel,
    padding,
    groups: channels,
  });
  const norm = layerNorm(`${name}.norm`, channels, EPSILON);
  const project = dense(`${name}.time_emb_proj`, embeddingWidth(config), 2 * channels);
  const widen = dense(`${name}.pwconv1`, channels, expansion * channels);
  const narrow = dense(`${name}.pwconv2`, expansion * channels, channels);
  return {
    parameters: parametersOf([spatial, norm, project, widen, narrow]),
    apply: (x, pass) => {
      const normal = norm.apply(channelsLast(spatial.apply(x, pass)), pass);
      const projected = project.apply(pass.embedding, pass);
      const rows = reshape(projected, [at(projected.shape, 0), 1, 1, 2 * channels]);
      const [scale, shift] = split(rows, 3, [channels, channels]) as [Node, Node];
      const wide = gelu(widen.apply(add(mul(normal, add(scale, 1)), shift), pass));
      const kept = pass.dropout && dropout > 0 ? pass.dropout(wide, dropout) : wide;
      return checkpoint(add(x, channelsFirst(narrow.apply(kept, pass))));
    },
  };
}

/** Layers one after another. */
function sequence<P extends Pass>(layers: readonly Layer<P>[]): Layer<P> {
  return {
    parameters: parametersOf(layers),
    apply: (x, pass) => layers.reduce((hidden, layer) => layer.apply(hidden, pass), x),
  };
}

function blocks(name: string, channels: number, config: ConvNextUNetConfig): Layer<BlockPass> {
  return sequence(
    Array.from({ length: config.layers_per_block }, (_, i) => block(`${name}.blocks.${i}`, channels, config)),
  );
}

/** Halves the image: normalisation, then 2×2 pixels to one. */
function halving(name: string, inputs: number, outputs: number): Layer {
  const conv = convolution(`${name}.conv`, { inputs, outputs, kernel: 2, stride: 2 });
  return sequence([channelNorm(`${name}.norm`, inputs), conv]);
}

/** One level above the deepest. */
interface Level {
  readonly parameters: readonly Parameter[];
  readonly down: Layer<BlockPass>;
  readonly halve: Layer;
  /** Doubles what comes from below, joins it with the state of the way down, and goes on. */
  readonly up: (below: Node, skip: Node, pass: BlockPass) => Node;
}

function level(i: number, [channels, below]: readonly [number, number], config: ConvNextUNetConfig): Level {
  const down = blocks(`down.${i}`, channels, config);
  const halve = halving(`down.${i}.halve`, channels, below);
  const join = convolution(`up.${i}.join`, { inputs: below + channels, outputs: channels, kernel: 1 });
  const up = blocks(`up.${i}`, channels, config);
  return {
    parameters: parametersOf([down, halve, join, up]),
    down,
    halve,
    up: (low, skip, pass) => up.apply(join.apply(concat([upsampleNearest(low), skip], 1), pass), pass),
  };
}

function body(config: ConvNextUNetConfig): Layer<BlockPass> {
  const { in_channels: inputs, out_channels: outputs, block_out_channels: channels } = config;
  const [first, deepest] = [at(channels, 0), at(channels, channels.length - 1)];
  const stem = convolution("stem", { inputs, outputs: first, padding: 1 });
  const levels = channels.slice(1).map((below, i) => level(i, [at(channels, i), below], config));
  const mid = blocks("mid", deepest, config);
  const head = sequence([
    channelNorm("head.norm", first),
    convolution("head.conv", { inputs: first, outputs, padding: 1 }),
  ]);
  return {
    parameters: parametersOf([stem, ...levels, mid, head]),
    apply: (x, pass) => {
      const skips: Node[] = [];
      let hidden = stem.apply(x, pass);
      for (const { down, halve } of levels) {
        const skip = down.apply(hidden, pass);
        skips.push(skip);
        hidden = halve.apply(skip, pass);
      }
      const lowest = mid.apply(hidden, pass);
      return head.apply(
        levels.reduceRight((low, { up }, i) => up(low, at(skips, i), pass), lowest),
        pass,
      );
    },
  };
}

interface Conditions {
  readonly parameters: readonly Parameter[];
  readonly apply: (steps: Node, labels: Node | undefined, pass: Pass) => Node;
}

function conditions(config: ConvNextUNetConfig): Conditions {
  const width = embeddingWidth(config);
  const time = featureEmbedding(["time_embedding.linear_1", "time_embedding.linear_2"], width, width);
  const rows = config.num_class_embeds;
  const classes = rows === null ? undefined : embedding("class_embedding", rows, width);
  return {
    parameters: parametersOf([time, classes]),
    apply: (steps, labels, pass) => {
      const ofStep = time.apply(sinusoidalFeatures(steps, width, { freqShift: 0 }), pass);
      return silu(withClass(KIND, ofStep, classes, labels, pass));
    },
  };
}

function checkSize(shape: Shape, { in_channels, block_out_channels }: ConvNextUNetConfig): void {
  checkImage(KIND, shape, in_channels, 2 ** (block_out_channels.length - 1));
}

function predict(
  { xt, steps, classLabels, dropout }: NetworkInputs,
  weights: Weights,
  config: ConvNextUNetConfig,
): Node {
  checkSize(xt.shape.slice(1), config);
  return scope("convnext", () => {
    const pass = { weights, dropout };
    const embedded = conditions(config).apply(steps, classLabels, pass);
    return body(config).apply(xt, { ...pass, embedding: embedded });
  });
}

const sampleShape = ({ in_channels, sample_size }: ConvNextUNetConfig): Shape => [in_channels, ...sidesOf(sample_size)];

/**
 * A U-Net of ConvNeXt blocks (Liu et al. 2022, arXiv 2201.03545), each scaled and shifted by the embedding of step and class: no
 * attention, and most of its work in 1×1 convolutions. Of the block, layer scale and stochastic depth are left out.
 */
export const convNextUNet: Network<ConvNextUNetConfig> = {
  kind: KIND,
  schema: strictConfig(extents, (config) => checkSize(sampleShape(config), config)),
  file: (config) =>
    Object.fromEntries(Object.keys(extents).map((key) => [key, config[key as keyof ConvNextUNetConfig]])),
  sampleShape,
  outputChannels: ({ out_channels }) => out_channels,
  classes: ({ num_class_embeds }) => num_class_embeds ?? 0,
  parameters: (config) => parametersOf([conditions(config), body(config)]),
  predict,
};
