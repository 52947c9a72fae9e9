import { UnnoiseError } from "../../math/error.ts";
import type { ImageModel } from "../../train/model.ts";
import type { OpenAnyRun } from "../../train/open-run.node.ts";
import { chooseImageSampler } from "../image-choice.ts";
import { forwardImageGif, forwardImageStrip, reverseImageGif, reverseImageStrip } from "../image-figures.ts";
import { placementOf } from "../placement.ts";
import { SamplingProgress } from "../sampling-progress.ts";
import type { Terminal } from "../terminal.ts";
import type { PlotCommandOptions } from "./plot.ts";

const USUAL_COUNT = 8;

/**
 * The process of a run on images.
 * @returns SVG markup, or an animation
 * @throws UnnoiseError `usage` for trajectories, which images have no picture of
 */
export async function plotImages(
  run: OpenAnyRun<ImageModel>,
  kind: "forward" | "reverse" | "trajectories",
  moving: boolean,
  options: PlotCommandOptions,
  terminal: Terminal,
): Promise<string | Uint8Array> {
  if (kind === "trajectories") {
    throw new UnnoiseError("usage", "plot trajectories: only runs on points have it; use reverse for images");
  }
  const drawn = { count: options.count ?? USUAL_COUNT, seed: options.seed ?? 0 };
  if (kind === "forward") return moving ? forwardImageGif(run, drawn) : forwardImageStrip(run, drawn);
  const choice = chooseImageSampler(run, options);
  const progress = new SamplingProgress(terminal);
  const draw = moving ? reverseImageGif : reverseImageStrip;
  return draw(run, choice, {
    ...drawn,
    ...placementOf(options),
    onStep: (step, group) => progress.update(step, group),
  }).finally(() => progress.stop());
}
