import { cast, div, mul, reshape, silu, sub } from "../graph/builders.ts";
import { scope, type Node } from "../graph/node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import type { Shape } from "../tensor/tensor.ts";
import { checkImage, sidesOf } from "./image-check.ts";
import { convolution, groupNorm, parametersOf } from "./layer.ts";
import type { Network, NetworkInputs } from "./network.ts";
import type { Parameter, Weights } from "./parameters.ts";
import { strictConfig } from "./strict-config.ts";
import { conditioning, type Conditioning } from "./unet/conditioning.ts";
import { downBlock, type DownBlock } from "./unet/down-block.ts";
import { midBlock } from "./unet/mid-block.ts";
import type { UNetPass } from "./unet/resnet-block.ts";
import { unetShape, type UNet2DConfig } from "./unet/unet-config.ts";
import { resnetSettings } from "./unet/unet-settings.ts";
import { upBlock, type UpBlock } from "./unet/up-block.ts";

export type { UNet2DConfig };

interface UNet {
  readonly parameters: Parameter[];
  readonly conditioning: Conditioning;
  /** x [B, C, H, W] to [B, outputs, H, W]. */
  readonly apply: (x: Node, pass: UNetPass) => Node;
}

function downBlocks({ down_block_types: types, block_out_channels: channels, ...rest }: UNet2DConfig): DownBlock[] {
  const config = { down_block_types: types, block_out_channels: channels, ...rest };
  return types.map((type, i) => {
    const inputs = at(channels, Math.max(0, i - 1));
    const options = { type, inputs, outputs: at(channels, i), halves: i < types.length - 1 };
    return downBlock(`down_blocks.${i}`, options, config);
  });
}

function upBlocks(config: UNet2DConfig): UpBlock[] {
  const types = config.up_block_types;
  const channels = [...config.block_out_channels].reverse();
  const last = types.length - 1;
  return types.map((type, i) => {
    const inputs = at(channels, Math.max(0, i - 1));
    const lastSkip = at(channels, Math.min(i + 1, last));
    return upBlock(`up_blocks.${i}`, { type, inputs, outputs: at(channels, i), lastSkip, doubles: i < last }, config);
  });
}

function checkLevels({ down_block_types: down, up_block_types: up, block_out_channels: channels }: UNet2DConfig): void {
  if (down.length === up.length && down.length === channels.length) return;
  const got = `${down.length}, ${up.length} and ${channels.length}`;
  throw new UnnoiseError(
    "usage",
    `down_block_types, up_block_types and block_out_channels: expected lists of one length, got ${got}`,
  );
}

/** The whole network: every weight and what is computed of it. */
function unet(config: UNet2DConfig): UNet {
  checkLevels(config);
  const [first, deepest] = [at(config.block_out_channels, 0), at(config.block_out_channels.slice(-1), 0)];
  const convIn = convolution("conv_in", { inputs: config.in_channels, outputs: first, padding: 1 });
  const condition = conditioning(config);
  const [down, up] = [downBlocks(config), upBlocks(config)];
  const mid = config.mid_block_type === null ? undefined : midBlock("mid_block", deepest, config);
  const normOut = groupNorm("conv_norm_out", first, config.norm_num_groups, config.norm_eps);
  const convOut = convolution("conv_out", { inputs: first, outputs: config.out_channels, padding: 1 });
  return {
    parameters: parametersOf([convIn, condition, ...down, ...up, mid, normOut, convOut]),
    conditioning: condition,
    apply: (x, pass) => {
      const states = [convIn.apply(x, pass)];
      for (const block of down) states.push(...block.apply(at(states, states.length - 1), pass));
      const lowest = at(states, states.length - 1);
      const middle = mid ? mid.apply(lowest, pass) : lowest;
      const top = up.reduce((hidden, block) => block.apply(hidden, states, pass), middle);
      return convOut.apply(silu(normOut.apply(top, pass)), pass);
    },
  };
}

function predict({ xt, steps, classLabels, dropout }: NetworkInputs, weights: Weights, config: UNet2DConfig): Node {
  checkSize(xt.shape.slice(1), config);
  const network = unet(config);
  return scope("unet", () => {
    const embedding = network.conditioning.apply(steps, classLabels, { weights });
    const pass = { weights, dropout, embedding: resnetSettings(config).activation(embedding) };
    const image = config.center_input_sample ? sub(mul(xt, 2), 1) : xt;
    const output = network.apply(image, pass);
    if (config.time_embedding_type !== "fourier") return output;
    return div(output, reshape(cast(steps, "float32"), [...steps.shape, 1, 1, 1]));
  });
}

function imageSize({ sample_size: size }: UNet2DConfig): readonly [number, number] {
  if (size === null) throw new UnnoiseError("usage", "sample_size is null: give the height and width of the images");
  return sidesOf(size);
}

/** Images must halve without rest as often as there are levels to go down. */
function checkSize(shape: Shape, { in_channels, block_out_channels }: UNet2DConfig): void {
  checkImage("UNet2DModel", shape, in_channels, 2 ** (block_out_channels.length - 1));
}

/** Images and blocks must go together: for configuration files. */
function check(config: UNet2DConfig): void {
  unet(config);
  if (config.sample_size !== null) checkSize([config.in_channels, ...imageSize(config)], config);
}

/**
 * diffusers' `UNet2DModel`, the U-Net of Ho et al. 2020 (arXiv 2006.11239, appendix B) and its kin: configuration, names and shapes
 * of the weights, and outputs are those of diffusers 0.42, the weights' start is PyTorch's. A class embedding of type `identity`
 * takes labels [B, E] float32; `fourier` takes steps > 0 only, integers or float32 noise levels.
 */
export const unet2d: Network<UNet2DConfig> = {
  kind: "UNet2DModel",
  schema: strictConfig(unetShape, check),
  file: (config) => Object.fromEntries(Object.keys(unetShape).map((key) => [key, config[key as keyof UNet2DConfig]])),
  sampleShape: (config) => [config.in_channels, ...imageSize(config)],
  outputChannels: ({ out_channels }) => out_channels,
  classes: ({ num_class_embeds }) => num_class_embeds ?? 0,
  parameters: (config) => unet(config).parameters,
  predict,
};
