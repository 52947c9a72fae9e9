import { concat, upsampleNearest } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";
import { invariant } from "../../math/error.ts";
import { convolution, parametersOf, type Layer } from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { resnetBlock, type UNetPass } from "./resnet-block.ts";
import type { UNet2DConfig, UpBlockType } from "./unet-config.ts";
import { levelAttention, resnetSettings } from "./unet-settings.ts";

/** One level of the way up. */
export interface UpBlock {
  readonly parameters: readonly Parameter[];
  /** @param skips what the way down left; this level takes as many from the end as it has layers */
  readonly apply: (x: Node, skips: Node[], pass: UNetPass) => Node;
}

export interface UpBlockOptions {
  readonly type: UpBlockType;
  /** Channels from the level below. */
  readonly inputs: number;
  readonly outputs: number;
  /** Channels of the last state that this level takes from the way down. */
  readonly lastSkip: number;
  /** Whether the image is doubled at the end. */
  readonly doubles: boolean;
}

function doubling(name: string, { type, outputs }: UpBlockOptions, config: UNet2DConfig): Layer<UNetPass> {
  const byResnet = type === "ResnetUpsampleBlock2D" || (type === "AttnUpBlock2D" && config.upsample_type === "resnet");
  if (byResnet) return resnetBlock(name, { inputs: outputs, outputs, resize: "up" }, resnetSettings(config));
  const conv = convolution(`${name}.conv`, { inputs: outputs, outputs, padding: 1 });
  return { parameters: conv.parameters, apply: (x, pass) => conv.apply(upsampleNearest(x), pass) };
}

/** diffusers' `UpBlock2D`, `AttnUpBlock2D` and `ResnetUpsampleBlock2D`: one layer more than on the way down. */
export function upBlock(name: string, options: UpBlockOptions, config: UNet2DConfig): UpBlock {
  const { type, inputs, outputs, lastSkip, doubles } = options;
  const last = config.layers_per_block;
  const layers = Array.from({ length: last + 1 }, (_, i) => ({
    attention: type === "AttnUpBlock2D" ? levelAttention(`${name}.attentions.${i}`, outputs, config) : undefined,
    resnet: resnetBlock(
      `${name}.resnets.${i}`,
      { inputs: (i === 0 ? inputs : outputs) + (i === last ? lastSkip : outputs), outputs },
      resnetSettings(config),
    ),
  }));
  const larger = doubles ? doubling(`${name}.upsamplers.0`, options, config) : undefined;
  return {
    parameters: parametersOf([
      ...layers.map(({ attention }) => attention),
      ...layers.map(({ resnet }) => resnet),
      larger,
    ]),
    apply: (x, skips, pass) => {
      let hidden = x;
      for (const { resnet, attention } of layers) {
        const skip = skips.pop();
        invariant(skip, `${name}: the way down left too few states`);
        hidden = resnet.apply(concat([hidden, skip], 1), pass);
        if (attention) hidden = attention.apply(hidden, pass);
      }
      return larger ? larger.apply(hidden, pass) : hidden;
    },
  };
}
