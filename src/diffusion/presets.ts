import type { DecoderName } from "./decoder.ts";
import { ddimUniformSteps, diffusersLeadingSteps, openaiSteps } from "./preset-steps.ts";
import type { SamplerOptions } from "./sampler.ts";
import type { Spacing } from "./spacings.ts";
import { trailingSteps } from "./steps.ts";
import type { FirstLogVariance } from "./variance.ts";

/** Published implementations whose choices unnoise can take over. */
export const presetNames = ["ho2020", "ddim-official", "openai", "diffusers"] as const;
export type PresetName = (typeof presetNames)[number];

/** What published implementations of the same papers choose differently. */
export interface Preset {
  /** What stands for log β̃ in the last reverse step, where β̃ = 0. */
  readonly firstLogVariance: FirstLogVariance;
  /** Time embedding: cos before sin. */
  readonly flipSinToCos: boolean;
  /** Time embedding: what is taken off half the features in the divisor of the frequencies, 1 or 0. */
  readonly freqShift: 0 | 1;
  /** Range to which x̂_0 is clipped in sampling; null where it never is. */
  readonly clip: readonly [low: number, high: number] | null;
  /** ε after x̂_0 was clipped. */
  readonly epsAfterLimit: NonNullable<SamplerOptions["epsAfterLimit"]>;
  /** How N of T steps are chosen. */
  readonly spacing: { readonly rule: string; readonly steps: Spacing };
  /** Decoder of images, as `variationalBound` takes it; null where the code has none. */
  readonly decoder: DecoderName | null;
  /** Over the values of a sample. */
  readonly lossReduction: "mean" | "sum";
  /** How training draws steps: each by itself, or in pairs t, T − 1 − t. */
  readonly timestepDraw: "uniform" | "antithetic";
  /** ε of group normalisation in the U-Net. */
  readonly groupNormEps: number;
  /** Padding of the U-Net's convolutions of stride 2, as top, bottom, left, right. */
  readonly downsamplePadding: readonly [number, number, number, number];
  /** Scale at which the last convolutions of the U-Net and its blocks start; 0 is exact zeros, 1 as any other. */
  readonly lastConvolutionScale: number;
}

/**
 * The choices of four implementations: `ho2020`, the code of Ho et al. 2020 (arXiv 2006.11239); `ddim-official`, that of Song et
 * al. 2020 (arXiv 2010.02502); `openai`, improved and guided diffusion (Nichol & Dhariwal 2021, arXiv 2102.09672; Dhariwal &
 * Nichol 2021, arXiv 2105.05233); `diffusers`, the defaults of the Python library. The settings of the part `U-Net` are for a
 * network that unnoise does not have yet.
 */
export const presets: Readonly<Record<PresetName, Preset>> = {
  ho2020: {
    firstLogVariance: "second",
    flipSinToCos: false,
    freqShift: 1,
    clip: [-1, 1],
    epsAfterLimit: "rederived",
    spacing: {
      rule: "all steps (N of them counted back from T − 1)",
      steps: ({ timesteps }, n) => trailingSteps(timesteps, n),
    },
    decoder: "discretised-tanh",
    lossReduction: "mean",
    timestepDraw: "uniform",
    groupNormEps: 1e-6,
    downsamplePadding: [0, 1, 0, 1],
    lastConvolutionScale: 1e-10,
  },
  "ddim-official": {
    firstLogVariance: "beta",
    flipSinToCos: false,
    freqShift: 1,
    clip: null,
    epsAfterLimit: "kept",
    spacing: { rule: "i·⌊T/N⌋ (uniform)", steps: ({ timesteps }, n) => ddimUniformSteps(timesteps, n) },
    decoder: null,
    lossReduction: "sum",
    timestepDraw: "antithetic",
    groupNormEps: 1e-6,
    downsamplePadding: [0, 1, 0, 1],
    lastConvolutionScale: 1e-10,
  },
  openai: {
    firstLogVariance: "second",
    flipSinToCos: true,
    freqShift: 0,
    clip: [-1, 1],
    epsAfterLimit: "rederived",
    spacing: {
      rule: "round(i·(T − 1)/(N − 1)) (fractional stride)",
      steps: ({ timesteps }, n) => openaiSteps(timesteps, n),
    },
    decoder: "discretised-tanh",
    lossReduction: "mean",
    timestepDraw: "uniform",
    groupNormEps: 1e-5,
    downsamplePadding: [1, 1, 1, 1],
    lastConvolutionScale: 0,
  },
  diffusers: {
    firstLogVariance: "clamp",
    flipSinToCos: true,
    freqShift: 0,
    clip: [-1, 1],
    epsAfterLimit: "kept",
    spacing: { rule: "i·⌊T/N⌋ + offset (leading)", steps: ({ timesteps }, n) => diffusersLeadingSteps(timesteps, n) },
    decoder: null,
    lossReduction: "mean",
    timestepDraw: "uniform",
    groupNormEps: 1e-5,
    downsamplePadding: [1, 1, 1, 1],
    lastConvolutionScale: 1,
  },
};

/** Where a setting acts. */
export type PresetPart = "sampling" | "training" | "bound" | "network" | "U-Net";

/** What each setting is called for people, and where it acts. */
export const presetSettings: Readonly<Record<keyof Preset, { readonly label: string; readonly part: PresetPart }>> = {
  spacing: { label: "steps", part: "sampling" },
  clip: { label: "x̂_0 clipped to", part: "sampling" },
  epsAfterLimit: { label: "ε after clipping", part: "sampling" },
  firstLogVariance: { label: "log β̃ at t = 1", part: "bound" },
  decoder: { label: "decoder of images", part: "bound" },
  lossReduction: { label: "loss over a sample's values", part: "training" },
  timestepDraw: { label: "training steps drawn", part: "training" },
  flipSinToCos: { label: "time embedding, cos first", part: "network" },
  freqShift: { label: "time embedding, divisor half −", part: "network" },
  groupNormEps: { label: "group norm ε", part: "U-Net" },
  downsamplePadding: { label: "stride-2 padding", part: "U-Net" },
  lastConvolutionScale: { label: "U-Net's last convolutions start at", part: "training" },
};

/** Settings in the order in which they are shown. */
export const presetKeys: readonly (keyof Preset)[] = Object.keys(presetSettings) as (keyof Preset)[];

/** A setting's value as text. */
export function presetValue(preset: Preset, key: keyof Preset): string {
  const value = key === "spacing" ? preset.spacing.rule : preset[key];
  if (Array.isArray(value)) return `(${value.join(", ")})`;
  if (value === null) return "none";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** What of a preset decides how a network is trained: keys of the training configuration. */
export type TrainingChoices = Pick<
  Preset,
  "firstLogVariance" | "flipSinToCos" | "freqShift" | "lossReduction" | "timestepDraw"
>;

/** The part of a preset that acts in training. */
export function trainingChoices(preset: Preset): TrainingChoices {
  const { firstLogVariance, flipSinToCos, freqShift, lossReduction, timestepDraw } = preset;
  return { firstLogVariance, flipSinToCos, freqShift, lossReduction, timestepDraw };
}

/** The part of a preset that acts in sampling, as options for any sampler. */
export function samplingOptions({ clip, epsAfterLimit }: Preset): Pick<SamplerOptions, "clip" | "epsAfterLimit"> {
  return { epsAfterLimit, ...(clip && { clip }) };
}
