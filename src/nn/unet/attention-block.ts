import { add, attention, checkpoint, conv2d, reshape, transpose } from "../../graph/builders.ts";
import { scope, type Node } from "../../graph/node.ts";
import { UnnoiseError } from "../../math/error.ts";
import { dense, groupNorm, parametersOf, type Layer, type Pass } from "../layer.ts";
import { weightOf } from "../linear.ts";
import { rescaled } from "./resnet-block.ts";

export interface AttentionOptions {
  readonly channels: number;
  /** Channels of one head; null for one head of all. */
  readonly headChannels: number | null;
  /** Groups of the normalisation before it; null for none. */
  readonly groups: number | null;
  readonly epsilon: number;
  /** What the sum is divided by; 1 if absent. */
  readonly scale?: number;
}

/** The weights of a linear layer, applied to every pixel of an image [N, C, H, W]. */
function pixelwise(name: string, inputs: number, outputs: number): Layer {
  return {
    parameters: dense(name, inputs, outputs).parameters,
    apply: (x, { weights }) =>
      scope(name, () => {
        const kernel = reshape(weightOf(weights, `${name}.weight`), [outputs, inputs, 1, 1]);
        return conv2d(x, kernel, weightOf(weights, `${name}.bias`));
      }),
  };
}

/** An image [N, h·d, H, W] as heads [N, h, H·W, d]. */
function toHeads(x: Node, heads: number): Node {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  return transpose(reshape(x, [batch, heads, channels / heads, height * width]), [0, 1, 3, 2]);
}

/** Multi-head self-attention between the pixels of an image. */
function betweenPixels(q: Node, k: Node, v: Node, heads: number): Node {
  const mixed = attention(toHeads(q, heads), toHeads(k, heads), toHeads(v, heads));
  return reshape(transpose(mixed, [0, 1, 3, 2]), q.shape);
}

function headCount(name: string, channels: number, headChannels: number): number {
  if (headChannels <= channels) return Math.floor(channels / headChannels);
  throw new UnnoiseError(
    "usage",
    `${name}: attention_head_dim ${headChannels} is more than its ${channels} channels; give ${channels} or less`,
  );
}

/**
 * diffusers' `Attention` as a U-Net uses it: (x + W_o·attention(W_q·n, W_k·n, W_v·n)) / scale, n the normalised x (Vaswani et al.
 * 2017, arXiv 1706.03762; Ho et al. 2020's code).
 * @throws UnnoiseError `usage` when a head has more channels than there are, or the groups do not divide them
 */
export function attentionBlock(
  name: string,
  { channels, headChannels, groups, epsilon, scale = 1 }: AttentionOptions,
): Layer {
  const perHead = headChannels ?? channels;
  const heads = headCount(name, channels, perHead);
  const norm = groups === null ? undefined : groupNorm(`${name}.group_norm`, channels, groups, epsilon);
  const inputs = ["to_q", "to_k", "to_v"].map((part) => pixelwise(`${name}.${part}`, channels, heads * perHead));
  const output = pixelwise(`${name}.to_out.0`, heads * perHead, channels);
  return {
    parameters: parametersOf([norm, ...inputs, output]),
    apply: (x, pass: Pass) => {
      const normal = norm ? norm.apply(x, pass) : x;
      const [q, k, v] = inputs.map((layer) => layer.apply(normal, pass)) as [Node, Node, Node];
      const mixed = scope(name, () => betweenPixels(q, k, v, heads));
      return checkpoint(rescaled(add(output.apply(mixed, pass), x), scale));
    },
  };
}
