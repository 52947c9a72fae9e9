import { cacheFolderFor } from "../../data/cache-folder.node.ts";
import type { ImageDataset } from "../../data/images.ts";
import { chooseSampler, type SamplerChoice } from "../../diffusion/sampler-choice.ts";
import { UnnoiseError } from "../../math/error.ts";
import { flagOf } from "../../math/text.ts";
import { modelOfCheckpoint, type WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { openClassifierNet, openOnnxNet } from "../../train/feature-net-file.node.ts";
import { inputRanges, type InputRange } from "../../train/feature-net-input.ts";
import { sampledImages, type FeatureNet } from "../../train/feature-net.ts";
import { imageBound } from "../../train/image-bound.ts";
import { checkScoreCounts, imageScores } from "../../train/image-scores.ts";
import type { ImageModel } from "../../train/model.ts";
import type { OpenAnyRun } from "../../train/open-run.node.ts";
import { classCountOf, sampleImages } from "../../train/sample-images.ts";
import { boundLines, scoreLines } from "../image-score-text.ts";
import { interruptible } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { placementOf } from "../placement.ts";
import { Progress } from "../progress.ts";
import { Terminal } from "../terminal.ts";
import type { EvaluateCommandOptions } from "./evaluate-bound.ts";

/** Flags of `unnoise evaluate` that only runs on images have a use for. */
export interface ImageEvaluationFlags {
  /** A file of ONNX that gives features. */
  readonly features?: string;
  readonly featureRange?: InputRange;
  readonly featureOutput?: string;
  readonly weights?: WeightsChoice;
  /** Steps at which the bound of each image is measured; all if absent. */
  readonly stepsPerImage?: number;
}

/** Flags of `evaluate` that only runs on points have a use for. */
const ofPoints = ["likelihood", "oracle", "out", "preset"] as const;

const USUAL_COUNT = { scores: 2000, bound: 256 } as const;

/** `unnoise evaluate` of a run on images: scores of its samples, or with --bound bits per dimension. */
export async function evaluateImages(
  path: string,
  run: OpenAnyRun<ImageModel>,
  options: EvaluateCommandOptions,
  io: Io,
): Promise<void> {
  const extra = ofPoints.find((flag) => options[flag] !== undefined);
  if (extra !== undefined) throw new UnnoiseError("usage", `--${extra}: only runs on points have it; leave it out`);
  checkUsed(options);
  const terminal = new Terminal(io, options);
  const { weights = "ema" } = options;
  const model = await modelOfCheckpoint(run.folder, run.model, weights);
  const images = await run.folder.images(await run.folder.config());
  const measure = options.bound === true ? measureBound : measureScores;
  const { text, values } = await interruptible(terminal, "stopping", (signal) =>
    measure({ run: { ...run, model }, weights: weightsName(weights), images, options, terminal, signal }),
  );
  const json = { run: path, weights: weightsName(weights), ...values };
  await terminal.print(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : `${text.join("\n")}\n`);
}

/** Refuses flags of the scores beside the bound, and of the bound beside the scores. */
function checkUsed(options: EvaluateCommandOptions): void {
  const others =
    options.bound === true ? (["features", "featureRange", "featureOutput"] as const) : (["stepsPerImage"] as const);
  const unused = others.find((flag) => options[flag] !== undefined);
  if (unused === undefined) return;
  const advice =
    options.bound === true
      ? "--bound needs no features; leave one of them out"
      : "it belongs to --bound; add that, or leave it out";
  throw new UnnoiseError("usage", `${flagOf(unused)}: ${advice}`);
}

/** Weights as reports name them. */
const weightsName = (weights: WeightsChoice): string =>
  typeof weights === "number" ? `average with decay ${weights}` : weights === "ema" ? "EMA" : "raw";

interface Measuring {
  /** The run with the weights that were chosen. */
  readonly run: OpenAnyRun<ImageModel>;
  readonly weights: string;
  readonly images: ImageDataset;
  readonly options: EvaluateCommandOptions;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What was measured, and how it is told. */
interface Report {
  readonly text: readonly string[];
  readonly values: object;
}

async function measureBound({ run, weights, images, options, terminal, signal }: Measuring): Promise<Report> {
  const progress = new Progress(terminal, { label: "measuring", total: 100, delay: 2 });
  const { count = USUAL_COUNT.bound, seed = 0, stepsPerImage = null, clip } = options;
  const bound = await imageBound(run.model, images.test ?? images, {
    count,
    seed,
    stepsPerImage,
    signal,
    ...(clip !== undefined && { clip: clip === Infinity ? null : ([-clip, clip] as const) }),
    onProgress: (share) => progress.update(Math.floor(100 * share)),
    ...placementOf(options),
  }).finally(() => progress.stop());
  const split = images.test ? "test" : "train";
  return { values: { seed, split, bound }, text: boundLines(bound, { split, weights, stepsPerImage }) };
}

async function measureScores(measuring: Measuring): Promise<Report> {
  const { run, weights, images, options } = measuring;
  const { count = USUAL_COUNT.scores, seed = 0 } = options;
  checkScoreCounts(images, count);
  const choice = chooseSampler(options, run, "ddim");
  const net = await featureNet(measuring);
  try {
    const fake = await drawn(measuring, choice, count, seed);
    const { terminal, signal } = measuring;
    const progress = new Progress(terminal, { label: "measuring", total: 100, delay: 2 });
    const scores = await imageScores({
      real: images,
      fake: sampledImages(fake),
      net,
      seed,
      signal,
      onProgress: ({ done, total }) => progress.update(Math.floor((100 * done) / total)),
    }).finally(() => progress.stop());
    return { values: { sampler: choice.label, scores }, text: scoreLines(scores, { sampler: choice.label, weights }) };
  } finally {
    await net.dispose();
  }
}

/** Samples, of all classes in turn where the network knows classes. */
async function drawn(
  { run: { model }, options, terminal, signal }: Measuring,
  choice: SamplerChoice,
  count: number,
  seed: number,
): Promise<Awaited<ReturnType<typeof sampleImages>>> {
  const progress = new Progress(terminal, { label: "sampling", total: choice.steps, unit: "steps", delay: 2 });
  return sampleImages(model, {
    ...choice.options,
    sampler: choice.sampler,
    count,
    seed,
    signal,
    ...(classCountOf(model) > 0 && { labels: "all" as const }),
    onStep: ({ index }, group) => progress.update((group.index * choice.steps + index + 1) / group.groups),
    ...placementOf(options),
  }).finally(() => progress.stop());
}

async function featureNet({ images, options, terminal, signal }: Measuring): Promise<FeatureNet> {
  const { features, featureRange, featureOutput } = options;
  const placement = placementOf(options);
  if (features !== undefined) {
    if (featureRange === undefined) {
      const advice = `a file does not say which values it takes; add --feature-range with one of ${inputRanges.join(", ")}`;
      throw new UnnoiseError("usage", `--features ${features}: ${advice}`);
    }
    const output = featureOutput === undefined ? {} : { output: featureOutput };
    return openOnnxNet(features, images.shape, { range: featureRange, ...output, ...placement });
  }
  if (images.labels === undefined) {
    const advice = "give a network of features with --features net.onnx";
    throw new UnnoiseError("usage", `evaluate: these images have no classes to train a feature net on; ${advice}`);
  }
  const progress = new Progress(terminal, { label: "training a feature net", total: 100, delay: 2 });
  return openClassifierNet(images, {
    cache: cacheFolderFor("classifiers"),
    signal,
    onProgress: ({ iteration, iterations }) => progress.update(Math.floor((100 * iteration) / iterations)),
    ...placement,
  }).finally(() => progress.stop());
}
