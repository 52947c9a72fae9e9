import { isLearned } from "../diffusion/objectives/bound-terms.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { networkPreset } from "../nn/network-presets.ts";
import type { DenoiserConfig } from "../nn/networks.ts";
import { sameShape, shapeText } from "../tensor/tensor.ts";
import type { TrainingConfig } from "./config.ts";
import { classesOf, outputChannelsOf, parseDenoiser, sampleShapeOf } from "./denoiser-spec.ts";
import type { TrainingData } from "./training-data.ts";

/** What images are drawn with where nobody chooses. */
const USUAL = "unet-small";

/** What of a configuration a network of images depends on. */
type ImageNetworkOptions = Pick<
  TrainingConfig,
  "network" | "variance" | "conditional" | "labelDropout" | "flipSinToCos" | "freqShift"
>;

/**
 * The network that a configuration describes for images.
 * @throws UnnoiseError `usage` for an unknown preset or class, a key out of range, or a network that does not fit the images, their classes
 * or the variance
 */
export function imageNetworkOf(
  { network, variance, conditional, labelDropout, ...embedding }: ImageNetworkOptions,
  { sampleShape, classes = [] }: Pick<TrainingData, "sampleShape" | "classes">,
): DenoiserConfig {
  const [channels, height, width] = [at(sampleShape, 0), at(sampleShape, 1), at(sampleShape, 2)];
  const outputs = isLearned(variance) ? 2 * channels : channels;
  if (conditional && classes.length === 0) {
    throw new UnnoiseError(
      "usage",
      "conditional: the images have no classes; put those of each class into a folder of its own",
    );
  }
  // Without label dropout a row for no class would never be trained.
  const rows = conditional ? classes.length + (labelDropout > 0 ? 1 : 0) : 0;
  const chosen = network ?? USUAL;
  const denoiser =
    typeof chosen === "string"
      ? embedded(networkPreset(chosen, { sampleSize: [height, width], channels, outputs, classes: rows }), embedding)
      : parseDenoiser(chosen, "network");
  if (denoiser.kind === "UNet2DModel" && denoiser.time_embedding_type === "fourier") {
    const advice = "use positional";
    throw new UnnoiseError("usage", `network: time_embedding_type fourier takes the logarithm of step 0; ${advice}`);
  }
  const said = { shape: sampleShapeOf(denoiser), outputs: outputChannelsOf(denoiser), classes: classesOf(denoiser) };
  if (!sameShape(said.shape, sampleShape)) throw misfit("samples", shapeText(sampleShape), shapeText(said.shape));
  if (said.outputs !== outputs) throw misfit("output channels", outputs, said.outputs);
  if (said.classes !== rows)
    throw misfit("rows of classes (one for no class, where labelDropout trains it)", rows, said.classes);
  return denoiser;
}

/** A U-Net of a preset with the time embedding that the options, or a published implementation, ask for. */
function embedded(
  denoiser: DenoiserConfig,
  { flipSinToCos, freqShift }: Pick<TrainingConfig, "flipSinToCos" | "freqShift">,
): DenoiserConfig {
  if (denoiser.kind !== "UNet2DModel") return denoiser;
  return { ...denoiser, flip_sin_to_cos: flipSinToCos, freq_shift: freqShift };
}

function misfit(what: string, expected: number | string, got: number | string): UnnoiseError {
  return new UnnoiseError("usage", `network: the images and options ask for ${what} of ${expected}, it has ${got}`);
}
