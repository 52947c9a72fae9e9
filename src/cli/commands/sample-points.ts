import type { FigureFormat } from "../../figures/render.node.ts";
import { checkSamplerFlags, chooseSampler, type SamplerChoice } from "../../diffusion/sampler-choice.ts";
import { counted, duration } from "../../math/text.ts";
import { modelOfCheckpoint, type WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { scheduleOf } from "../../train/model.ts";
import { openRun, type OpenRun } from "../../train/open-run.node.ts";
import { sample } from "../../train/sample.ts";
import { refuseImageFlags } from "../image-flags.ts";
import type { Io } from "../io.ts";
import { openOutput, writeOutput } from "../output.ts";
import { batchText, placementOf } from "../placement.ts";
import { encodePoints, isPointFormat, pointFormats } from "../points-text.ts";
import type { Watch } from "../process-panels.ts";
import { Progress } from "../progress.ts";
import { Terminal } from "../terminal.ts";
import type { SampleCommandOptions } from "./sample.ts";

const FORMATS = [...pointFormats, "png", "svg", "gif"] as const;
type Format = (typeof FORMATS)[number];
/** Seconds of sampling before its progress is shown. */
const PATIENCE = 2;

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
  const progress = new Progress(terminal, { label: "sampling", total: choice.steps, unit: "steps", delay: PATIENCE });
  const content = await contentOf(run, choice, target.format, {
    ...{ count, seed, onProgress: (done) => progress.update(done), ...placementOf(options) },
    ...(batch !== undefined && { batch }),
  }).finally(() => progress.stop());
  await writeOutput(target, content, terminal);
  const took = duration((performance.now() - began) / 1000);
  const how = `${choice.label}${batchText(batch)}`;
  if (target.path !== "-") terminal.say(`${target.path}: ${counted(count, "sample")} by ${how}, ${took}`);
}

async function withWeights(run: OpenRun, weights: WeightsChoice | undefined): Promise<OpenRun> {
  if (weights === undefined) return run;
  const model = await modelOfCheckpoint(run.folder, run.model, weights);
  return { ...run, model, schedule: scheduleOf(model) };
}

async function contentOf(
  run: OpenRun,
  choice: SamplerChoice,
  format: Format,
  watch: Watch,
): Promise<string | Uint8Array> {
  if (!isPointFormat(format)) return drawn(run, choice, format, watch);
  const { onProgress, ...options } = watch;
  const points = await sample(run.model, {
    ...options,
    ...choice.options,
    sampler: choice.sampler,
    onStep: ({ index }) => onProgress?.(index + 1),
  });
  const { seed, batch } = watch;
  const facts = { sampler: choice.name, steps: choice.steps, seed, ...(batch !== undefined && { batch }) };
  return encodePoints({ columns: run.model.columns, points }, format, facts);
}

/** Pictures need modules that numbers do without. */
async function drawn(run: OpenRun, choice: SamplerChoice, format: FigureFormat, watch: Watch): Promise<Uint8Array> {
  const { renderFigure } = await import("../../figures/render.node.ts");
  const { reverseAnimation, samplesFigure, someData, walkOf } = await import("../run-figures.ts");
  const reference = await someData(run, watch);
  const walk = await walkOf(run, choice, watch, format === "gif" ? "animation" : "strip");
  return renderFigure((format === "gif" ? reverseAnimation : samplesFigure)(run, walk, reference), format);
}
