import { UnnoiseError } from "../../math/error.ts";
import type { SamplerFlags } from "../../diffusion/sampler-choice.ts";
import type { WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { isDiffusersFolder } from "../../train/open-run.node.ts";
import { RunFolder } from "../../train/run-folder.node.ts";
import type { ImageSampleFlags } from "../image-flags.ts";
import type { Io } from "../io.ts";
import type { OutputFlags } from "../output.ts";
import type { PlacementFlags } from "../placement.ts";

/** Flags of `unnoise sample`. */
export interface SampleCommandOptions extends OutputFlags, SamplerFlags, PlacementFlags, ImageSampleFlags {
  readonly count?: number;
  readonly weights?: WeightsChoice;
  readonly seed?: number;
  readonly batch?: number;
  readonly quiet?: boolean;
}

/** `unnoise sample` of a run on points or images, or of a model of diffusers. */
export async function sampleRun(path: string, options: SampleCommandOptions, io: Io): Promise<void> {
  if (await isDiffusersFolder(path)) {
    if (options.weights !== undefined) {
      throw new UnnoiseError(
        "usage",
        `--weights: ${path} is a model of diffusers, which has but one set; leave it out`,
      );
    }
    return (await import("./sample-images.ts")).sampleDiffusers(path, options, io);
  }
  const { kind } = await new RunFolder(path).config();
  if (kind === "images") return (await import("./sample-images.ts")).sampleImageRun(path, options, io);
  return (await import("./sample-points.ts")).samplePoints(path, options, io);
}
