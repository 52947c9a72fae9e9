import { add, averagePool, checkpoint, div, mul, reshape, split, upsampleNearest } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";
import { at } from "../../math/error.ts";
import { convolution, dense, groupNorm, parametersOf, type Layer, type Pass } from "../layer.ts";

/** What one pass through a U-Net brings to its blocks. */
export interface UNetPass extends Pass {
  /** Embedding of step and class after the activation, [B, E] or [1, E]. */
  readonly embedding: Node;
}

/** What all residual blocks of a U-Net have in common. */
export interface ResnetSettings {
  readonly activation: (x: Node) => Node;
  readonly groups: number;
  readonly epsilon: number;
  /** E: features of the embedding. */
  readonly embeddingFeatures: number;
  /** Whether the embedding scales and shifts the normalised channels; else it is added before. */
  readonly scaleShift: boolean;
  readonly dropout: number;
}

export interface ResnetOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Halves or doubles the image on its way in, without weights. */
  readonly resize?: "down" | "up";
  /** What the sum is divided by; 1 if absent. */
  readonly scale?: number;
}

const resizers = { down: (x: Node): Node => averagePool(x), up: (x: Node): Node => upsampleNearest(x) };

/** x/scale. */
export function rescaled(x: Node, scale: number): Node {
  return scale === 1 ? x : div(x, scale);
}

/** [B, C] as [B, C, 1, 1], to be broadcast over pixels. */
const perChannel = (x: Node): Node => reshape(x, [...x.shape, 1, 1]);

/** n·(1 + a) + b, a and b the halves of the projected embedding. */
function modulated(normal: Node, projected: Node): Node {
  const half = at(projected.shape, 1) / 2;
  const [scale, shift] = split(projected, 1, [half, half]) as [Node, Node];
  return add(mul(normal, perChannel(add(scale, 1))), perChannel(shift));
}

/**
 * diffusers' `ResnetBlock2D`, a residual block (He et al. 2016, arXiv 1512.03385) conditioned on the step:
 * (s(x) + conv₂(drop(φ(norm₂(conv₁(φ(norm₁ x)) + W·e))))) / scale, s a 1×1 convolution where the channels change.
 */
export function resnetBlock(
  name: string,
  { inputs, outputs, resize, scale = 1 }: ResnetOptions,
  { activation, groups, epsilon, embeddingFeatures, scaleShift, dropout }: ResnetSettings,
): Layer<UNetPass> {
  const norm1 = groupNorm(`${name}.norm1`, inputs, groups, epsilon);
  const conv1 = convolution(`${name}.conv1`, { inputs, outputs, padding: 1 });
  const project = dense(`${name}.time_emb_proj`, embeddingFeatures, scaleShift ? 2 * outputs : outputs);
  const norm2 = groupNorm(`${name}.norm2`, outputs, groups, epsilon);
  const conv2 = convolution(`${name}.conv2`, { inputs: outputs, outputs, padding: 1 });
  const shortcut =
    inputs === outputs ? undefined : convolution(`${name}.conv_shortcut`, { inputs, outputs, kernel: 1 });
  const resized = resize ? resizers[resize] : (x: Node): Node => x;
  const conditioned = (hidden: Node, pass: UNetPass): Node => {
    const projected = project.apply(pass.embedding, pass);
    if (scaleShift) return modulated(norm2.apply(hidden, pass), projected);
    return norm2.apply(add(hidden, perChannel(projected)), pass);
  };
  return {
    parameters: parametersOf([norm1, conv1, project, norm2, conv2, shortcut]),
    apply: (x, pass) => {
      const hidden = conv1.apply(resized(activation(norm1.apply(x, pass))), pass);
      const active = activation(conditioned(hidden, pass));
      const kept = pass.dropout && dropout > 0 ? pass.dropout(active, dropout) : active;
      const skipped = shortcut ? shortcut.apply(resized(x), pass) : resized(x);
      return checkpoint(rescaled(add(skipped, conv2.apply(kept, pass)), scale));
    },
  };
}
