import { activations } from "../activation.ts";
import type { Layer } from "../layer.ts";
import { attentionBlock } from "./attention-block.ts";
import type { ResnetSettings, UNetPass } from "./resnet-block.ts";
import type { UNet2DConfig } from "./unet-config.ts";

/** E: features of the embedding of step and class. */
export function embeddingFeatures({ time_embedding_dim, block_out_channels: [first = 0] }: UNet2DConfig): number {
  return time_embedding_dim ?? 4 * first;
}

/** What a configuration says of every residual block. */
export function resnetSettings(config: UNet2DConfig): ResnetSettings {
  return {
    activation: activations[config.act_fn],
    groups: config.norm_num_groups,
    epsilon: config.norm_eps,
    embeddingFeatures: embeddingFeatures(config),
    scaleShift: config.resnet_time_scale_shift === "scale_shift",
    dropout: config.dropout,
  };
}

/** The attention behind a residual block on the way down or up. */
export function levelAttention(name: string, channels: number, config: UNet2DConfig): Layer<UNetPass> {
  return attentionBlock(name, {
    channels,
    headChannels: config.attention_head_dim,
    groups: config.norm_num_groups,
    epsilon: config.norm_eps,
  });
}
