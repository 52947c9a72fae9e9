import { detach } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { embedding, parametersOf, type Layer, type Pass } from "../layer.ts";
import { weightOf } from "../linear.ts";
import { featureEmbedding, withClass } from "../step-embedding.ts";
import { fourierFeatures, sinusoidalFeatures } from "../step-features.ts";
import type { UNet2DConfig } from "./unet-config.ts";
import { embeddingFeatures } from "./unet-settings.ts";

/** Standard deviation of the random frequencies of `fourier`. */
const FOURIER_SCALE = 16;

/** Features of steps (or of labels taken for steps), and how many there are. */
interface Projection {
  readonly layer: Layer;
  readonly features: number;
}

function learnedRows({ num_train_timesteps: rows }: UNet2DConfig): number {
  if (rows !== null) return rows;
  throw new UnnoiseError("usage", "time_embedding_type learned: num_train_timesteps is null; give the number of steps");
}

function projection(name: string, config: UNet2DConfig): Projection {
  const { time_embedding_type: type, flip_sin_to_cos: flipSinToCos, freq_shift: freqShift } = config;
  const channels = at(config.block_out_channels, 0);
  if (type === "learned") return { layer: embedding(name, learnedRows(config), channels), features: channels };
  if (type === "fourier") {
    const weight = `${name}.weight`;
    const layer: Layer = {
      parameters: [{ name: weight, shape: [channels], bound: 0, deviation: FOURIER_SCALE }],
      // The random frequencies stay as they are drawn.
      apply: (steps, { weights }) => fourierFeatures(steps, detach(weightOf(weights, weight))),
    };
    return { layer, features: 2 * channels };
  }
  if (freqShift >= Math.floor(channels / 2)) {
    const most = Math.floor(channels / 2);
    throw new UnnoiseError(
      "usage",
      `freq_shift: expected less than ${most}, half the first channels, got ${freqShift}`,
    );
  }
  const apply = (steps: Node): Node => sinusoidalFeatures(steps, channels, { flipSinToCos, freqShift });
  return { layer: { parameters: [], apply }, features: channels };
}

/** diffusers' `TimestepEmbedding`. */
function timestepEmbedding(name: string, inputs: number, outputs: number): Layer {
  return featureEmbedding([`${name}.linear_1`, `${name}.linear_2`], inputs, outputs);
}

/** How labels become an embedding, or nothing where the network takes none. */
function classLayer(name: string, project: Projection, config: UNet2DConfig): Layer | undefined {
  const { class_embed_type: type, num_class_embeds: rows } = config;
  const outputs = embeddingFeatures(config);
  if (type === "identity") return { parameters: [], apply: (labels) => labels };
  if (type === "timestep") {
    const { parameters, apply } = timestepEmbedding(name, project.features, outputs);
    return { parameters, apply: (labels, pass) => apply(project.layer.apply(labels, pass), pass) };
  }
  return rows === null ? undefined : embedding(name, rows, outputs);
}

/** The embedding of step and class. */
export interface Conditioning {
  readonly parameters: readonly Layer["parameters"][number][];
  /**
   * @param steps [B] or [1]
   * @returns [B, E], or [1, E] for one step and no labels
   * @throws UnnoiseError `graph` when labels are missing or not taken
   */
  readonly apply: (steps: Node, labels: Node | undefined, pass: Pass) => Node;
}

/** diffusers' `time_proj`, `time_embedding` and `class_embedding`. */
export function conditioning(config: UNet2DConfig): Conditioning {
  const project = projection("time_proj", config);
  const time = timestepEmbedding("time_embedding", project.features, embeddingFeatures(config));
  const classes = classLayer("class_embedding", project, config);
  return {
    parameters: parametersOf([project.layer, time, classes]),
    apply: (steps, labels, pass) => {
      const ofStep = time.apply(project.layer.apply(steps, pass), pass);
      return withClass("UNet2DModel", ofStep, classes, labels, pass);
    },
  };
}
