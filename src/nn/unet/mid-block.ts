import { parametersOf, type Layer } from "../layer.ts";
import { attentionBlock } from "./attention-block.ts";
import { resnetBlock, type UNetPass } from "./resnet-block.ts";
import type { UNet2DConfig } from "./unet-config.ts";
import { resnetSettings } from "./unet-settings.ts";

/** diffusers' `UNetMidBlock2D`: two residual blocks with attention between them. */
export function midBlock(name: string, channels: number, config: UNet2DConfig): Layer<UNetPass> {
  const settings = resnetSettings(config);
  const scale = config.mid_block_scale_factor;
  const [before, after] = [0, 1].map((i) =>
    resnetBlock(`${name}.resnets.${i}`, { inputs: channels, outputs: channels, scale }, settings),
  ) as [Layer<UNetPass>, Layer<UNetPass>];
  const attention = config.add_attention
    ? attentionBlock(`${name}.attentions.0`, {
        channels,
        headChannels: config.attention_head_dim,
        groups: config.attn_norm_num_groups ?? (settings.scaleShift ? null : config.norm_num_groups),
        epsilon: config.norm_eps,
        scale,
      })
    : undefined;
  return {
    parameters: parametersOf([attention, before, after]),
    apply: (x, pass) => {
      const hidden = before.apply(x, pass);
      return after.apply(attention ? attention.apply(hidden, pass) : hidden, pass);
    },
  };
}
