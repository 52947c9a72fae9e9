import type { Node } from "../../graph/node.ts";
import { convolution, parametersOf, type Layer } from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { resnetBlock, type UNetPass } from "./resnet-block.ts";
import type { DownBlockType, UNet2DConfig } from "./unet-config.ts";
import { levelAttention, resnetSettings } from "./unet-settings.ts";

/** One level of the way down. */
export interface DownBlock {
  readonly parameters: readonly Parameter[];
  /** @returns what each layer gives, for the way up; the last of them goes on down */
  readonly apply: (x: Node, pass: UNetPass) => Node[];
}

export interface DownBlockOptions {
  readonly type: DownBlockType;
  readonly inputs: number;
  readonly outputs: number;
  /** Whether the image is halved at the end. */
  readonly halves: boolean;
}

function halving(name: string, { type, outputs }: DownBlockOptions, config: UNet2DConfig): Layer<UNetPass> {
  const byResnet =
    type === "ResnetDownsampleBlock2D" || (type === "AttnDownBlock2D" && config.downsample_type === "resnet");
  if (byResnet) return resnetBlock(name, { inputs: outputs, outputs, resize: "down" }, resnetSettings(config));
  const padding = config.downsample_padding === 0 ? [0, 0, 1, 1] : config.downsample_padding;
  return convolution(`${name}.conv`, { inputs: outputs, outputs, stride: 2, padding });
}

/** diffusers' `DownBlock2D`, `AttnDownBlock2D` and `ResnetDownsampleBlock2D`. */
export function downBlock(name: string, options: DownBlockOptions, config: UNet2DConfig): DownBlock {
  const { type, inputs, outputs, halves } = options;
  const layers = Array.from({ length: config.layers_per_block }, (_, i) => ({
    attention: type === "AttnDownBlock2D" ? levelAttention(`${name}.attentions.${i}`, outputs, config) : undefined,
    resnet: resnetBlock(
      `${name}.resnets.${i}`,
      { inputs: i === 0 ? inputs : outputs, outputs },
      resnetSettings(config),
    ),
  }));
  const smaller = halves ? halving(`${name}.downsamplers.0`, options, config) : undefined;
  return {
    parameters: parametersOf([
      ...layers.map(({ attention }) => attention),
      ...layers.map(({ resnet }) => resnet),
      smaller,
    ]),
    apply: (x, pass) => {
      let hidden = x;
      const states = layers.map(({ resnet, attention }) => {
        const mixed = resnet.apply(hidden, pass);
        return (hidden = attention ? attention.apply(mixed, pass) : mixed);
      });
      return smaller ? [...states, smaller.apply(hidden, pass)] : states;
    },
  };
}
