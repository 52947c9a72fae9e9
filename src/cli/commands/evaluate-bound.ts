import { presets } from "../../diffusion/presets.ts";
import { UnnoiseError } from "../../math/error.ts";
import { reverseVarianceOf } from "../../train/model.ts";
import { measureBound, type BoundReport } from "../bound.ts";
import { boundJson, boundPicture, boundText } from "../bound-text.ts";
import type { Io } from "../io.ts";
import type { InputRange } from "../../train/feature-net-input.ts";
import type { ReferenceSplit } from "../../train/reference-split.ts";
import type { WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { openRun } from "../../train/open-run.node.ts";
import { openOutput, writeOutput, type OutputFlags } from "../output.ts";
import { chooseSampler, type SampledProcess, type SamplerFlags } from "../../diffusion/sampler-choice.ts";
import { placementOf, type PlacementFlags } from "../placement.ts";
import { Terminal } from "../terminal.ts";
import { withProgress } from "../with-progress.ts";

/** Flags of `unnoise evaluate` that only models of images have a use for. */
export interface ImageEvaluationFlags {
  /** A file of ONNX that gives features. */
  readonly features?: string;
  readonly featureRange?: InputRange;
  readonly featureOutput?: string;
  readonly weights?: WeightsChoice;
  /** Steps at which the bound of each image is measured; all if absent. */
  readonly stepsPerImage?: number;
  /** w of classifier-free guidance for the samples that are scored. */
  readonly guidance?: number;
  /** Part of the data to measure against; the test part where there is one if absent. */
  readonly split?: ReferenceSplit;
  /** Images of that part that samples are compared with. */
  readonly referenceCount?: number;
  /** Images to measure a model of diffusers against. */
  readonly data?: string;
}

/** Flags of `unnoise evaluate`. */
export interface EvaluateCommandOptions extends SamplerFlags, PlacementFlags, OutputFlags, ImageEvaluationFlags {
  readonly bound?: boolean;
  readonly likelihood?: boolean;
  readonly oracle?: boolean;
  readonly count?: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const FORMATS = ["svg", "png"] as const;
/** The ODE and the oracle cost several times the bound itself. */
const [COUNT, COSTLY_COUNT] = [2000, 500];

/** `unnoise evaluate --bound`, `--likelihood` and `--oracle` */
export async function evaluateBound(path: string, options: EvaluateCommandOptions, io: Io): Promise<void> {
  const { likelihood = false, oracle = false, seed = 0, preset } = options;
  checkFlags(options);
  const terminal = new Terminal(io, options);
  const target = options.out === undefined ? undefined : await openOutput(options, FORMATS, terminal);
  const run = await openRun(path);
  const process: SampledProcess = { schedule: run.schedule, variance: reverseVarianceOf(run.model) };
  const { steps, ...limits } = chooseSampler({ ...options, sampler: "ddpm" }, process).options;
  const report = await withProgress(terminal, (onProgress) =>
    measureBound(run, {
      count: options.count ?? (likelihood || oracle ? COSTLY_COUNT : COUNT),
      seed,
      variance: options.variance ?? process.variance ?? "large",
      first: preset === undefined ? run.model.firstLogVariance : presets[preset].firstLogVariance,
      steps,
      limits,
      likelihood,
      oracle,
      onProgress,
      ...placementOf(options),
    }),
  );
  if (target?.path !== "-") {
    if (options.json === true) await terminal.print(jsonText(path, seed, report));
    else await terminal.tell(boundText(report));
  }
  if (!target) return;
  const { renderFigure } = await import("../../figures/render.node.ts");
  const title = `${run.name}: variational bound, T = ${report.timesteps}, ${report.variance} variance`;
  await writeOutput(target, await renderFigure(boundPicture(report, title), target.format), terminal);
  if (target.path !== "-") terminal.say(`${target.path}: terms of the bound, rate and distortion`);
}

const jsonText = (run: string, seed: number, report: BoundReport): string =>
  `${JSON.stringify({ run, seed, ...boundJson(report) }, null, 2)}\n`;

function checkFlags({ sampler = "ddpm", count, oracle, likelihood, clip, threshold }: EvaluateCommandOptions): void {
  if (sampler !== "ddpm") {
    throw new UnnoiseError(
      "usage",
      `--bound: is that of the ancestral process, got --sampler ${sampler}; leave it out`,
    );
  }
  if (count === 1) {
    throw new UnnoiseError("usage", "--count: the bound needs 2 points at least for its standard errors, got 1");
  }
  if (clip === undefined && threshold === undefined) return;
  if (oracle === true) {
    throw new UnnoiseError("usage", "--oracle: the exact mean has no limits; leave out --clip and --threshold");
  }
  if (likelihood === true) {
    throw new UnnoiseError("usage", "--likelihood: the ODE has no limits; leave out --clip and --threshold");
  }
}
