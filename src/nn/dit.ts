import { z } from "zod";
import {
  add,
  attention,
  checkpoint,
  constant,
  gelu,
  layerNorm,
  mul,
  reshape,
  silu,
  split,
  transpose,
} from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import type { Shape } from "../tensor/tensor.ts";
import { blocks, features, kernel, rows, side } from "./config-sizes.ts";
import { checkImage, sidesOf, type SampleSize } from "./image-check.ts";
import { convolution, dense, embedding, parametersOf, type Layer, type Pass } from "./layer.ts";
import type { Network, NetworkInputs } from "./network.ts";
import type { Parameter, Weights } from "./parameters.ts";
import { featureEmbedding, withClass } from "./step-embedding.ts";
import { sinusoidalFeatures } from "./step-features.ts";
import { strictConfig } from "./strict-config.ts";

/** Configuration of a diffusion transformer. */
export interface DiTConfig {
  readonly sample_size: SampleSize;
  /** Side of the squares of pixels that become one token. */
  readonly patch_size: number;
  readonly in_channels: number;
  /** Twice `in_channels` where the variance is learned. */
  readonly out_channels: number;
  /** Features of a token, a multiple of 4 and of `num_heads`. */
  readonly hidden_size: number;
  /** Blocks. */
  readonly depth: number;
  readonly num_heads: number;
  /** How much wider the feed-forward part of a block is. */
  readonly mlp_ratio: number;
  /** Rows of the table of classes; null for no classes. */
  readonly num_class_embeds: number | null;
}

const KIND = "DiT";
const extents = {
  sample_size: z.union([side, z.tuple([side, side])]),
  patch_size: kernel.default(2),
  in_channels: features.default(3),
  out_channels: features.default(3),
  hidden_size: features.multipleOf(4).default(384),
  depth: blocks.default(12),
  num_heads: features.default(6),
  mlp_ratio: kernel.default(4),
  num_class_embeds: rows.nullable().default(null),
};
const EPSILON = 1e-6;
/** Sinusoids of a step, and how its embedding starts, as in the paper's code. */
const STEP_FEATURES = 256;
const EMBEDDING_START = { deviation: 0.02 };

interface TokenPass extends Pass {
  /** Embedding of step and class after SiLU, [B, E] or [1, E]. */
  readonly embedding: Node;
}

/** sin(p·ω_i), cos(p·ω_i) with ω_i = 10000^(−i/(features/2)). */
function positionFeatures(position: number, features: number): number[] {
  const half = features / 2;
  const angles = Array.from({ length: half }, (_, i) => position * 10_000 ** (-i / half));
  return [...angles.map(Math.sin), ...angles.map(Math.cos)];
}

/**
 * A token's fixed embedding of its place (Vaswani et al. 2017, arXiv 1706.03762, in two dimensions): the first half of the features
 * tells the column, the second the row, counted in patches.
 * @returns [rows·columns, features]
 */
export function positionTable([rows, columns]: readonly [number, number], features: number): Float64Array {
  const places = Array.from({ length: rows * columns }, (_, i) => [i % columns, Math.floor(i / columns)]);
  return Float64Array.from(places.flat().flatMap((place) => positionFeatures(place, features / 2)));
}

/** `parts` vectors [n, 1, features] from the embedding; they start at 0 (adaLN-Zero, section 3.2). */
function modulation(name: string, features: number, parts: number): Layer & { of: (pass: TokenPass) => Node[] } {
  const project = dense(name, features, parts * features, "zero");
  const sizes = Array.from({ length: parts }, () => features);
  return {
    ...project,
    of: (pass) => {
      const all = project.apply(pass.embedding, pass);
      return split(reshape(all, [at(all.shape, 0), 1, parts * features]), 2, sizes);
    },
  };
}

/** norm(x)·(1 + scale) + shift. */
const modulated = (x: Node, shift: Node, scale: Node): Node => add(mul(layerNorm(x, EPSILON), add(scale, 1)), shift);

/** Multi-head self-attention between tokens [B, L, D]. */
function selfAttention(name: string, { hidden_size: features, num_heads: heads }: DiTConfig): Layer {
  const all = dense(`${name}.qkv`, features, 3 * features, "xavier");
  const project = dense(`${name}.proj`, features, features, "xavier");
  return {
    parameters: parametersOf([all, project]),
    apply: (x, pass) => {
      const [batch, length] = [at(x.shape, 0), at(x.shape, 1)];
      const parts = split(all.apply(x, pass), 2, [features, features, features]);
      const [q, k, v] = parts.map((part) =>
        transpose(reshape(part, [batch, length, heads, features / heads]), [0, 2, 1, 3]),
      ) as [Node, Node, Node];
      return project.apply(reshape(transpose(attention(q, k, v), [0, 2, 1, 3]), x.shape), pass);
    },
  };
}

/** An adaLN-Zero block: x + g₁·attention(modulated x), then x + g₂·W₂·GELU(W₁·modulated x) (figure 3). */
function block(name: string, config: DiTConfig): Layer<TokenPass> {
  const { hidden_size: features, mlp_ratio: ratio } = config;
  const modulate = modulation(`${name}.adaLN_modulation.1`, features, 6);
  const mix = selfAttention(`${name}.attn`, config);
  const widen = dense(`${name}.mlp.fc1`, features, ratio * features, "xavier");
  const narrow = dense(`${name}.mlp.fc2`, ratio * features, features, "xavier");
  return {
    parameters: parametersOf([mix, widen, narrow, modulate]),
    apply: (x, pass) => {
      const [shift1, scale1, gate1, shift2, scale2, gate2] = modulate.of(pass) as [Node, Node, Node, Node, Node, Node];
      const mixed = add(x, mul(gate1, mix.apply(modulated(x, shift1, scale1), pass)));
      const wide = gelu(widen.apply(modulated(mixed, shift2, scale2), pass));
      return checkpoint(add(mixed, mul(gate2, narrow.apply(wide, pass))));
    },
  };
}

const gridOf = (sides: readonly number[], { patch_size: patch }: DiTConfig): [number, number] => [
  at(sides, 0) / patch,
  at(sides, 1) / patch,
];

/** Images [B, C, H, W] to tokens [B, L, D], with their places. */
function patches(config: DiTConfig): Layer {
  const { in_channels: inputs, hidden_size: outputs, patch_size: patch } = config;
  const project = convolution("x_embedder.proj", { inputs, outputs, kernel: patch, stride: patch }, "xavier");
  return {
    parameters: project.parameters,
    apply: (x, pass) => {
      const grid = gridOf(x.shape.slice(2), config);
      const [batch, length] = [at(x.shape, 0), grid[0] * grid[1]];
      const tokens = transpose(reshape(project.apply(x, pass), [batch, outputs, length]), [0, 2, 1]);
      return add(tokens, constant(positionTable(grid, outputs), [length, outputs]));
    },
  };
}

/** Tokens [B, L, p·p·C] to images [B, C, H, W]. */
function unpatch(x: Node, [rows, columns]: readonly [number, number], patch: number): Node {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, 2) / patch ** 2];
  const squares = reshape(x, [batch, rows, columns, patch, patch, channels]);
  return reshape(transpose(squares, [0, 5, 1, 3, 2, 4]), [batch, channels, rows * patch, columns * patch]);
}

/** The last modulation and projection, which start at 0. */
function head(config: DiTConfig): Layer<TokenPass> {
  const { hidden_size: features, patch_size: patch, out_channels: channels } = config;
  const modulate = modulation("final_layer.adaLN_modulation.1", features, 2);
  const project = dense("final_layer.linear", features, patch ** 2 * channels, "zero");
  return {
    parameters: parametersOf([project, modulate]),
    apply: (x, pass) => {
      const [shift, scale] = modulate.of(pass) as [Node, Node];
      return project.apply(modulated(x, shift, scale), pass);
    },
  };
}

interface Transformer {
  readonly parameters: Parameter[];
  readonly predict: (inputs: NetworkInputs, weights: Weights) => Node;
}

function transformer(config: DiTConfig): Transformer {
  const { hidden_size: features, num_class_embeds: rows, depth } = config;
  const embed = patches(config);
  const time = featureEmbedding(["t_embedder.mlp.0", "t_embedder.mlp.2"], STEP_FEATURES, features, EMBEDDING_START);
  const classes = rows === null ? undefined : embedding("y_embedder.embedding_table", rows, features, 0.02);
  const blocks = Array.from({ length: depth }, (_, i) => block(`blocks.${i}`, config));
  const final = head(config);
  return {
    parameters: parametersOf([embed, time, classes, ...blocks, final]),
    predict: ({ xt, steps, classLabels }, weights) => {
      const waves = sinusoidalFeatures(steps, STEP_FEATURES, { flipSinToCos: true, freqShift: 0 });
      const condition = withClass(KIND, time.apply(waves, { weights }), classes, classLabels, { weights });
      const pass = { weights, embedding: silu(condition) };
      const tokens = blocks.reduce((hidden, layer) => layer.apply(hidden, pass), embed.apply(xt, pass));
      return unpatch(final.apply(tokens, pass), gridOf(xt.shape.slice(2), config), config.patch_size);
    },
  };
}

const sampleShape = ({ in_channels, sample_size }: DiTConfig): Shape => [in_channels, ...sidesOf(sample_size)];

function check(config: DiTConfig): void {
  const { in_channels, patch_size, hidden_size, num_heads } = config;
  checkImage(KIND, sampleShape(config), in_channels, patch_size);
  if (hidden_size % num_heads === 0) return;
  throw new UnnoiseError("usage", `num_heads: ${num_heads} heads do not divide hidden_size ${hidden_size}`);
}

/**
 * The diffusion transformer (Peebles & Xie 2023, arXiv 2212.09748): images as tokens with sine-cosine places, and blocks that step
 * and class scale, shift and gate (adaLN-Zero), so that all of them start as the identity and the output at 0. Names and starts of
 * the weights are those of the paper's code; its GELU is the tanh approximation, this one is exact.
 */
export const dit: Network<DiTConfig> = {
  kind: KIND,
  schema: strictConfig(extents, check),
  file: (config) => Object.fromEntries(Object.keys(extents).map((key) => [key, config[key as keyof DiTConfig]])),
  sampleShape,
  outputChannels: ({ out_channels }) => out_channels,
  classes: ({ num_class_embeds }) => num_class_embeds ?? 0,
  parameters: (config) => transformer(config).parameters,
  predict: (inputs, weights, config) => {
    checkImage(KIND, inputs.xt.shape.slice(1), config.in_channels, config.patch_size);
    return scope("dit", () => transformer(config).predict(inputs, weights));
  },
};
