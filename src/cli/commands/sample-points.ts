import type { FigureFormat } from "../../figures/render.node.ts";
import { checkSamplerFlags, chooseSampler, type SamplerChoice } from "../../diffusion/sampler-choice.ts";
import { counted, duration } from "../../math/text.ts";
import { modelOfCheckpoint, type WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { scheduleOf } from "../../train/model.ts";
import { openRun, type OpenRun } from "../../train/open-run.node.ts";
import { sampleGroups } from "../../train/sample.ts";
import { checkDrawable, NUMBERS_ADVICE } from "../figure-memory.ts";
import { refuseImageFlags } from "../image-flags.ts";
import type { Io } from "../io.ts";
import { openOutput, writeOutput } from "../output.ts";
import { batchText, placementOf } from "../placement.ts";
import { encodedPoints, isPointFormat, pointFormats, type PointGroups } from "../points-text.ts";
import type { Watch } from "../process-panels.ts";
import { SamplingProgress } from "../sampling-progress.ts";
import { Terminal } from "../terminal.ts";
import type { SampleCommandOptions } from "./sample.ts";

const FORMATS = [...pointFormats, "png", "svg", "gif"] as const;

/** `unnoise sample` of a run on points */
export async function samplePoints(path: string, options: SampleCommandOptions, io: Io): Promise<void> {
  const terminal = new Terminal(io, options);
  refuseImageFlags(options);
  checkSamplerFlags(options);
  const target = await openOutput(options, FORMATS, terminal);
  const run = await withWeights(await openRun(path), options.weights);
  const choice = chooseSampler(options, run);
  const { count = 1000, seed = 0, batch } = options;
  const began = performance.now();
  const how = { count, seed, ...placementOf(options), ...(batch !== undefined && { batch }) };
  const progress = new SamplingProgress(terminal);
  const { format } = target;
  if (!isPointFormat(format)) {
    checkDrawable(count, run.model.columns.length, format === "gif" ? "moving" : "still", NUMBERS_ADVICE);
  }
  try {
    const content = isPointFormat(format)
      ? encodedPoints(drawn(run, choice, how, progress), format, factsOf(choice, how))
      : await pictured(run, choice, format, how, progress);
    await writeOutput(target, content, terminal);
  } finally {
    progress.stop();
  }
  const took = duration((performance.now() - began) / 1000);
  const by = `${choice.label}${batchText(batch)}`;
  if (target.path !== "-") terminal.say(`${target.path}: ${counted(count, "sample")} by ${by}, ${took}`);
}

async function withWeights(run: OpenRun, weights: WeightsChoice | undefined): Promise<OpenRun> {
  if (weights === undefined) return run;
  const model = await modelOfCheckpoint(run.folder, run.model, weights);
  return { ...run, model, schedule: scheduleOf(model) };
}

type How = Omit<Watch, "onProgress">;

/** What a JSON document says of its points. */
function factsOf({ name, steps }: SamplerChoice, { seed, batch }: How): object {
  return { sampler: name, steps, seed, ...(batch !== undefined && { batch }) };
}

/** Points are drawn in groups, each written before the next is drawn: any number takes the memory of one group. */
function drawn({ model }: OpenRun, choice: SamplerChoice, how: How, progress: SamplingProgress): PointGroups {
  const groups = sampleGroups(model, {
    ...how,
    ...choice.options,
    sampler: choice.sampler,
    onStep: (step, group) => progress.update(step, group),
  });
  return { columns: model.columns, count: how.count, groups };
}

/** Pictures need modules that numbers do without. */
async function pictured(
  run: OpenRun,
  choice: SamplerChoice,
  format: FigureFormat,
  how: How,
  progress: SamplingProgress,
): Promise<Uint8Array> {
  const { renderFigure } = await import("../../figures/render.node.ts");
  const { reverseAnimation, samplesFigure, someData, walkOf } = await import("../run-figures.ts");
  const whole = { first: 0, count: how.count, index: 0, groups: 1 };
  const onProgress = (done: number): void => progress.update({ index: done - 1, count: choice.steps }, whole);
  const watch = { ...how, onProgress };
  const reference = await someData(run, watch);
  const walk = await walkOf(run, choice, watch, format === "gif" ? "animation" : "strip");
  return renderFigure((format === "gif" ? reverseAnimation : samplesFigure)(run, walk, reference), format);
}
