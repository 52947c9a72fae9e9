import type { z } from "zod";
import type { Node } from "../graph/node.ts";
import type { Shape } from "../tensor/tensor.ts";
import type { Parameter, Weights } from "./parameters.ts";

/** What a denoiser sees. */
export interface NetworkInputs {
  /** x_t [B, …D] float32. */
  readonly xt: Node;
  /** Timesteps, 0-based, int32 [B]; or [1] for one step that all rows share. */
  readonly steps: Node;
  /** Class of each row, int32 [B], where the network takes classes. */
  readonly classLabels?: Node;
  /** Dropout of activations at a rate in [0, 1), in training; absent where samples are drawn. */
  readonly dropout?: (x: Node, rate: number) => Node;
}

/** A kind of denoiser, `C` its configuration: all that training, sampling and files need to know of it. */
export interface Network<C> {
  /** The class name in its configuration file. */
  readonly kind: string;
  /** What its configuration file may hold beside the class name. */
  readonly schema: z.ZodType<C>;
  /** The configuration as its file has it. */
  file(config: C): Readonly<Record<string, unknown>>;
  /** Extents of one sample: [C, H, W] for images, [D] for points. */
  sampleShape(config: C): Shape;
  /** Extent of the output along its first axis after the batch: that of the sample, or twice it with a learned variance. */
  outputChannels(config: C): number;
  /** Rows of its table of classes: labels are 0…n−1; 0 where it takes none. */
  classes(config: C): number;
  /** Names, shapes and starts of its weights, in the order of the flat vector. */
  parameters(config: C): Parameter[];
  /**
   * What it predicts.
   * @returns [B, outputs, …] float32
   */
  predict(inputs: NetworkInputs, weights: Weights, config: C): Node;
}
