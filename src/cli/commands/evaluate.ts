import { UnnoiseError } from "../../math/error.ts";
import type { Io } from "../io.ts";
import { isDiffusersFolder, openAnyRun, openRun } from "../../train/open-run.node.ts";
import { flagOf } from "../../math/text.ts";
import { measureQuality, qualityText } from "../quality.ts";
import {
  checkSamplerFlags,
  chooseSampler,
  samplerFlagNames,
  type SampledProcess,
  type SamplerChoice,
  type SamplerFlags,
} from "../../diffusion/sampler-choice.ts";
import { placementOf } from "../placement.ts";
import { Terminal } from "../terminal.ts";
import { withProgress } from "../with-progress.ts";
import type { EvaluateCommandOptions, ImageEvaluationFlags } from "./evaluate-bound.ts";

/** Flags that runs on points have no use for. */
const imageFlagNames: readonly (keyof ImageEvaluationFlags)[] = [
  ...(["features", "featureRange", "featureOutput", "guidance", "split", "referenceCount"] as const),
  ...(["weights", "stepsPerImage", "data"] as const),
];

/** `unnoise evaluate` */
export async function evaluate(path: string, options: EvaluateCommandOptions, io: Io): Promise<void> {
  if (await isDiffusersFolder(path)) {
    return (await import("./evaluate-images.ts")).evaluateDiffusers(path, options, io);
  }
  const any = await openAnyRun(path);
  if (any.model.kind === "images") {
    const run = { ...any, model: any.model };
    return (await import("./evaluate-images.ts")).evaluateImages(path, run, options, io);
  }
  checkSamplerFlags(options);
  const ofImages = imageFlagNames.find((flag) => options[flag] !== undefined);
  if (ofImages !== undefined) {
    throw new UnnoiseError(
      "usage",
      `${flagOf(ofImages)}: ${ofImages === "data" ? "a run knows its data" : "only models of images have it"}; leave it out`,
    );
  }
  if (options.bound === true || options.likelihood === true || options.oracle === true) {
    return (await import("./evaluate-bound.ts")).evaluateBound(path, options, io);
  }
  if (options.out !== undefined) {
    throw new UnnoiseError("usage", "--out: evaluate draws the bound only; add --bound, or leave it out");
  }
  const terminal = new Terminal(io, options);
  const run = await openRun(path);
  const choices = choicesOf(options, run);
  const quality = await withProgress(terminal, (onProgress) => {
    const { count = 2000, seed = 0 } = options;
    return measureQuality(run, choices, { count, seed, onProgress, ...placementOf(options) });
  });
  if (options.json === true) await terminal.print(`${JSON.stringify({ run: path, ...quality }, null, 2)}\n`);
  else await terminal.tell(qualityText(quality));
}

/** The sampler that flags ask for, or both usual ones. */
export function choicesOf(flags: SamplerFlags, process: SampledProcess): SamplerChoice[] {
  if (samplerFlagNames.some((flag) => flags[flag] !== undefined)) return [chooseSampler(flags, process)];
  return (["ddpm", "ddim"] as const).map((sampler) => chooseSampler({ sampler }, process));
}
