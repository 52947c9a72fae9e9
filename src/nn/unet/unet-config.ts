import { z } from "zod";
import { shown } from "../../math/shown.ts";
import { features, blocksOfLevel, MOST_LEVELS, rows, side } from "../config-sizes.ts";
import { activationNames, type ActivationName } from "../activation.ts";

/** Blocks of the way down, under diffusers' names. */
const downBlockTypes = ["DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"] as const;
/** Blocks of the way up, under diffusers' names. */
const upBlockTypes = ["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"] as const;
export type DownBlockType = (typeof downBlockTypes)[number];
export type UpBlockType = (typeof upBlockTypes)[number];

/** Configuration of a U-Net; keys, meaning and defaults are those of diffusers' `UNet2DModel`. */
export interface UNet2DConfig {
  /** Height and width, or one number for both; null where the file does not say. */
  readonly sample_size: number | readonly [number, number] | null;
  readonly in_channels: number;
  /** Twice `in_channels` where the variance is learned. */
  readonly out_channels: number;
  /** Whether the image is mapped from [0, 1] to [−1, 1] first. */
  readonly center_input_sample: boolean;
  /** Sinusoids of the step, random sinusoids of its logarithm (steps > 0 only), or a learned table. */
  readonly time_embedding_type: "positional" | "fourier" | "learned";
  /** Null for four times the first of `block_out_channels`. */
  readonly time_embedding_dim: number | null;
  readonly freq_shift: number;
  readonly flip_sin_to_cos: boolean;
  readonly down_block_types: readonly DownBlockType[];
  readonly mid_block_type: "UNetMidBlock2D" | null;
  readonly up_block_types: readonly UpBlockType[];
  readonly block_out_channels: readonly number[];
  readonly layers_per_block: number;
  /** What the sums of the middle block's residual branches are divided by. */
  readonly mid_block_scale_factor: number;
  /** 0 stands for one row and column of zeros below and to the right. */
  readonly downsample_padding: number;
  /** How AttnDownBlock2D halves the image. */
  readonly downsample_type: "conv" | "resnet" | null;
  /** How AttnUpBlock2D doubles the image. */
  readonly upsample_type: "conv" | "resnet" | null;
  readonly dropout: number;
  readonly act_fn: ActivationName;
  /** Channels of one attention head; null for one head of all channels. */
  readonly attention_head_dim: number | null;
  readonly norm_num_groups: number;
  /** Groups of the middle attention's normalisation; null for `norm_num_groups`, or none with `scale_shift`. */
  readonly attn_norm_num_groups: number | null;
  readonly norm_eps: number;
  /** Whether the time shifts the channels of a residual block, or scales and shifts them. */
  readonly resnet_time_scale_shift: "default" | "scale_shift";
  /** Whether the middle block has attention. */
  readonly add_attention: boolean;
  /** Null: a table of `num_class_embeds` rows. `timestep`: an embedding as of steps. `identity`: labels are embeddings. */
  readonly class_embed_type: "timestep" | "identity" | null;
  readonly num_class_embeds: number | null;
  /** Rows of a learned time embedding. */
  readonly num_train_timesteps: number | null;
}

/** One of some names, or an error that lists them. */
function oneOf<T extends string>(names: readonly T[]): z.ZodType<T> {
  return z.enum(names, {
    error: ({ input }) => `${shown(input)} is not supported; supported: ${names.join(", ")}`,
  });
}

/** Old files write UNetResDownBlock2D for DownBlock2D. */
const blockType = <T extends string>(names: readonly T[]): z.ZodType<T> =>
  z.preprocess((name) => (typeof name === "string" ? name.replace(/^UNetRes/, "") : name), oneOf(names));

const sampling = oneOf(["conv", "resnet"]).nullable().default("conv");

/** Each key with its range and default. */
export const unetShape: { readonly [K in keyof UNet2DConfig]: z.ZodType<UNet2DConfig[K]> } = {
  sample_size: z
    .union([side, z.tuple([side, side])])
    .nullable()
    .default(null),
  in_channels: features.default(3),
  out_channels: features.default(3),
  center_input_sample: z.boolean().default(false),
  time_embedding_type: oneOf(["positional", "fourier", "learned"]).default("positional"),
  time_embedding_dim: features.nullable().default(null),
  freq_shift: z.number().min(0).default(0),
  flip_sin_to_cos: z.boolean().default(true),
  down_block_types: z
    .array(blockType(downBlockTypes))
    .min(1)
    .max(MOST_LEVELS)
    .default(["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"]),
  mid_block_type: oneOf(["UNetMidBlock2D"]).nullable().default("UNetMidBlock2D"),
  up_block_types: z
    .array(blockType(upBlockTypes))
    .min(1)
    .max(MOST_LEVELS)
    .default(["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]),
  block_out_channels: z.array(features.min(2)).min(1).max(MOST_LEVELS).default([224, 448, 672, 896]),
  layers_per_block: blocksOfLevel.default(2),
  mid_block_scale_factor: z.number().positive().default(1),
  downsample_padding: z.int().min(0).max(64).default(1),
  downsample_type: sampling,
  upsample_type: sampling,
  dropout: z.number().min(0).lt(1).default(0),
  act_fn: z
    .preprocess((name) => (typeof name === "string" ? name.toLowerCase() : name), oneOf(activationNames))
    .default("silu"),
  attention_head_dim: features.nullable().default(8),
  norm_num_groups: features.default(32),
  attn_norm_num_groups: features.nullable().default(null),
  norm_eps: z.number().min(0).default(1e-5),
  resnet_time_scale_shift: oneOf(["default", "scale_shift"]).default("default"),
  add_attention: z.boolean().default(true),
  class_embed_type: oneOf(["timestep", "identity"]).nullable().default(null),
  num_class_embeds: rows.nullable().default(null),
  num_train_timesteps: rows.nullable().default(null),
};
