import { convNextUNet, type ConvNextUNetConfig } from "./convnext-unet.ts";
import { dit, type DiTConfig } from "./dit.ts";
import { mlpNetwork, type MlpConfig } from "./mlp.ts";
import type { Network } from "./network.ts";
import { unet2d, type UNet2DConfig } from "./unet-2d.ts";

/** The configuration of each kind of denoiser, by its class name. */
export interface NetworkConfigs {
  readonly MlpDenoiser: MlpConfig;
  readonly UNet2DModel: UNet2DConfig;
  readonly ConvNextUNet: ConvNextUNetConfig;
  readonly DiT: DiTConfig;
}
export type NetworkName = keyof NetworkConfigs;

/** Every kind of denoiser. A new one is a file of its own and a line in each of these lists. */
export const networks: { readonly [K in NetworkName]: Network<NetworkConfigs[K]> } = {
  MlpDenoiser: mlpNetwork,
  UNet2DModel: unet2d,
  ConvNextUNet: convNextUNet,
  DiT: dit,
};
export const networkNames: readonly NetworkName[] = Object.keys(networks) as NetworkName[];

/** A denoiser as data: what is saved, and how to build it. */
export type DenoiserConfig = { readonly [K in NetworkName]: { readonly kind: K } & NetworkConfigs[K] }[NetworkName];
