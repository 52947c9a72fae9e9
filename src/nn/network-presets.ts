import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { sidesOf, type SampleSize } from "./image-check.ts";
import { networks, type DenoiserConfig, type NetworkName } from "./networks.ts";

/** What a preset is fitted to. */
export interface PresetOptions {
  /** Height and width of the images, or one number for both. */
  readonly sampleSize: SampleSize;
  readonly channels: number;
  /** Channels that the network gives: twice those of the images with a learned variance. */
  readonly outputs: number;
  /**
   * Rows of the table of classes; 0 for none. By convention the last row is the null label, "no class", which classifier-free
   * guidance (Ho & Salimans 2022, arXiv 2207.12598) trains and subtracts: one row more than there are classes.
   */
  readonly classes: number;
}

/** The smallest side of the feature maps that halving may lead to. */
const LEAST_SIDE = 4;

/** How often an image can be halved without a remainder before a side is too small, at most `most` times. */
function halvings(size: SampleSize, most: number): number {
  const fits = (count: number): boolean =>
    sidesOf(size).every((side) => side % 2 ** count === 0 && side / 2 ** count >= LEAST_SIDE);
  let count = 0;
  while (count < most && fits(count + 1)) count++;
  return count;
}

/**
 * A configuration of a class with what all have in common.
 * @throws UnnoiseError `usage` when the class does not take such images
 */
function made(kind: NetworkName, options: PresetOptions, keys: Readonly<Record<string, unknown>>): DenoiserConfig {
  const { sampleSize, channels, outputs, classes } = options;
  const parsed = networks[kind].schema.safeParse({
    sample_size: sampleSize,
    in_channels: channels,
    out_channels: outputs,
    num_class_embeds: classes > 0 ? classes : null,
    ...keys,
  });
  if (parsed.success) return { kind, ...parsed.data } as DenoiserConfig;
  throw new UnnoiseError("usage", `network: ${parsed.error.issues.map(({ message }) => message).join("; ")}`);
}

interface UNetSettings {
  /** Channels of the levels, of which the first are taken as far as the images can be halved. */
  readonly channels: readonly number[];
  readonly layers: number;
  readonly groups: number;
  /** Largest side of feature maps with attention. */
  readonly attentionSide: number;
  readonly headDim?: number;
}

function unetPreset(options: PresetOptions, settings: UNetSettings): DenoiserConfig {
  const { sampleSize } = options;
  const levels = settings.channels.slice(0, 1 + halvings(sampleSize, settings.channels.length - 1));
  const side = Math.max(...sidesOf(sampleSize));
  const attends = levels.map((_, level) => side / 2 ** level <= settings.attentionSide);
  return made("UNet2DModel", options, {
    block_out_channels: levels,
    layers_per_block: settings.layers,
    norm_num_groups: settings.groups,
    attention_head_dim: settings.headDim ?? null,
    down_block_types: attends.map((attend) => (attend ? "AttnDownBlock2D" : "DownBlock2D")),
    up_block_types: attends.map((attend) => (attend ? "AttnUpBlock2D" : "UpBlock2D")).reverse(),
  });
}

/** The network of Ho et al. 2020 for CIFAR-10 as `google/ddpm-cifar10-32` has it, for sides that are multiples of 8. */
const ddpmCifar10 = {
  center_input_sample: false,
  time_embedding_type: "positional",
  freq_shift: 1,
  flip_sin_to_cos: false,
  down_block_types: ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
  up_block_types: ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
  block_out_channels: [128, 256, 256, 256],
  layers_per_block: 2,
  mid_block_scale_factor: 1,
  downsample_padding: 0,
  act_fn: "silu",
  attention_head_dim: null,
  norm_num_groups: 32,
  norm_eps: 1e-6,
};

function convNextSmall(options: PresetOptions): DenoiserConfig {
  const channels = [32, 64, 128];
  const levels = channels.slice(0, 1 + halvings(options.sampleSize, channels.length - 1));
  return made("ConvNextUNet", options, { block_out_channels: levels, layers_per_block: 2 });
}

/** Most tokens of a small transformer; the patches are as small as that allows. */
const MOST_TOKENS = 64;

function ditSmall(options: PresetOptions): DenoiserConfig {
  const [height, width] = sidesOf(options.sampleSize);
  const patches = [1, 2, 4, 8].filter((patch) => height % patch === 0 && width % patch === 0);
  const patch = patches.find((side) => (height * width) / side ** 2 <= MOST_TOKENS) ?? patches.at(-1);
  return made("DiT", options, { patch_size: patch, hidden_size: 192, depth: 6, num_heads: 6 });
}

const presets: Readonly<Record<string, (options: PresetOptions) => DenoiserConfig>> = {
  "unet-tiny": (options) => unetPreset(options, { channels: [16, 32], layers: 1, groups: 8, attentionSide: 0 }),
  "unet-small": (options) =>
    unetPreset(options, { channels: [32, 64, 128], layers: 1, groups: 8, attentionSide: 8, headDim: 32 }),
  "unet-medium": (options) =>
    unetPreset(options, { channels: [64, 128, 128, 256], layers: 1, groups: 32, attentionSide: 8, headDim: 32 }),
  "ddpm-cifar10": (options) => made("UNet2DModel", options, ddpmCifar10),
  "convnext-small": convNextSmall,
  "dit-small": ditSmall,
};
/** Names that `networkPreset` knows. */
export const networkPresetNames: readonly string[] = Object.keys(presets);

/**
 * The network of a preset, fitted to the images.
 * @throws UnnoiseError `usage` for an unknown name, with a near miss
 */
export function networkPreset(name: string, options: PresetOptions): DenoiserConfig {
  const make = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (make) return make(options);
  const near = nearMiss(name, networkPresetNames);
  const advice = near === undefined ? "" : `; did you mean ${near}?`;
  const expected = `expected one of ${networkPresetNames.join(", ")}, or a .json file`;
  throw new UnnoiseError("usage", `network: no preset is called ${name}; ${expected}${advice}`);
}
