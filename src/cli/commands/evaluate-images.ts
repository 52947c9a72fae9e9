import { basename } from "node:path";
import { cacheFolderFor } from "../../data/cache-folder.node.ts";
import type { ImageDataset } from "../../data/images.ts";
import { UnnoiseError } from "../../math/error.ts";
import { flagOf } from "../../math/text.ts";
import { modelOfCheckpoint, type WeightsChoice } from "../../train/checkpoint-model.node.ts";
import { openClassifierNet, openOnnxNet } from "../../train/feature-net-file.node.ts";
import { inputRanges } from "../../train/feature-net-input.ts";
import { sampledImages, type FeatureNet } from "../../train/feature-net.ts";
import { classesOf, sampleShapeOf } from "../../train/denoiser-spec.ts";
import { samplerFlagNames } from "../../diffusion/sampler-choice.ts";
import { importDiffusers, samplingOfDiffusers } from "../../train/diffusers/import.node.ts";
import { imageBound } from "../../train/image-bound.ts";
import { checkScoreCounts, imageScores } from "../../train/image-scores.ts";
import type { ReferenceSplit } from "../../train/reference-split.ts";
import type { ImageModel } from "../../train/model.ts";
import type { OpenAnyRun } from "../../train/open-run.node.ts";
import { openImageData } from "../../train/open-data.node.ts";
import { classCountOf, sampleImages } from "../../train/sample-images.ts";
import { checkImageCount } from "../image-memory.ts";
import { chooseImageSampler, type ImageSamplerChoice, type OpenImageModel } from "../image-choice.ts";
import { boundLines, scoreLines } from "../image-score-text.ts";
import type { Io } from "../io.ts";
import { placementOf } from "../placement.ts";
import { Progress } from "../progress.ts";
import { Terminal } from "../terminal.ts";
import type { EvaluateCommandOptions } from "./evaluate-bound.ts";

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
  if (options.data !== undefined) {
    throw new UnnoiseError("usage", "--data: a run knows its data; leave it out");
  }
  await evaluated(path, options, io, async () => {
    const { weights = "ema" } = options;
    const model = await modelOfCheckpoint(run.folder, run.model, weights);
    const images = await run.folder.images(await run.folder.config());
    return { opened: { name: run.name, model }, weights: weightsName(weights), images };
  });
}

/** `unnoise evaluate` of a model of diffusers, against the images that --data names. */
export async function evaluateDiffusers(path: string, options: EvaluateCommandOptions, io: Io): Promise<void> {
  const { data, weights, seed = 0 } = options;
  if (data === undefined) {
    const advice = "name the images to measure it against with --data";
    throw new UnnoiseError("usage", `${path}: a model of diffusers does not say what it was trained on; ${advice}`);
  }
  if (weights !== undefined) {
    throw new UnnoiseError("usage", `--weights: ${path} is a model of diffusers, which has but one set; leave it out`);
  }
  await evaluated(path, options, io, async () => {
    const model = await importDiffusers(path);
    const [channels, height, width] = sampleShapeOf(model.denoiser) as readonly [number, number, number];
    if (height !== width || (channels !== 1 && channels !== 3)) {
      const made = `${path}: makes images of ${width} × ${height} with ${channels} channels`;
      throw new UnnoiseError("usage", `${made}; expected squares of 1 or 3 channels to evaluate`);
    }
    const usual = { crop: "centre", broken: "fail", holdOut: 0 } as const;
    const images = await openImageData({ data, imageSize: height, channels, seed, ...usual });
    return { opened: { name: basename(path), model, advice: samplingOfDiffusers(model) }, weights: "as saved", images };
  });
}

/** Opens a model with its images, measures, and prints. */
async function evaluated(
  path: string,
  options: EvaluateCommandOptions,
  io: Io,
  open: () => Promise<Pick<Measuring, "opened" | "weights" | "images">>,
): Promise<void> {
  const extra = ofPoints.find((flag) => options[flag] !== undefined);
  if (extra !== undefined) throw new UnnoiseError("usage", `--${extra}: evaluate has it for points only; leave it out`);
  checkUsed(options);
  const terminal = new Terminal(io, options);
  const measured = await open();
  const measure = options.bound === true ? measureBound : measureScores;
  const { text, values } = await measure({ ...measured, options, terminal });
  const json = { run: path, weights: measured.weights, ...values };
  if (options.json === true) await terminal.print(`${JSON.stringify(json, null, 2)}\n`);
  else await terminal.tell(`${text.join("\n")}\n`);
}

/** Refuses flags of the scores beside the bound, and of the bound beside the scores. */
function checkUsed(options: EvaluateCommandOptions): void {
  const ofScores = ["features", "featureRange", "featureOutput", "guidance", "referenceCount"] as const;
  const others = options.bound === true ? ofScores : (["stepsPerImage"] as const);
  const unused = others.find((flag) => options[flag] !== undefined);
  if (options.bound === true) refuseSampling(options);
  if (unused === undefined) return;
  const advice =
    options.bound === true
      ? "--bound draws no samples; leave one of them out"
      : "it belongs to --bound; add that, or leave it out";
  throw new UnnoiseError("usage", `${flagOf(unused)}: ${advice}`);
}

/** The bound of images is that of the whole chain with the variance that the model was trained for. */
function refuseSampling(options: EvaluateCommandOptions): void {
  const used = samplerFlagNames.find((flag) => flag !== "clip" && options[flag] !== undefined);
  if (used === undefined) return;
  const what = "the bound of images is that of all steps, as the model was trained";
  throw new UnnoiseError("usage", `${flagOf(used)}: ${what}; leave it out`);
}

/** Weights as reports name them. */
const weightsName = (weights: WeightsChoice): string =>
  typeof weights === "number" ? `average with decay ${weights}` : weights === "ema" ? "EMA" : "raw";

interface Measuring {
  /** The model with the weights that were chosen. */
  readonly opened: OpenImageModel;
  readonly weights: string;
  readonly images: ImageDataset;
  readonly options: EvaluateCommandOptions;
  readonly terminal: Terminal;
}

/** What was measured, and how it is told. */
interface Report {
  readonly text: readonly string[];
  readonly values: object;
}

async function measureBound({ opened, weights, images, options, terminal }: Measuring): Promise<Report> {
  const progress = new Progress(terminal, { label: "measuring", total: 100, delay: 2 });
  const { count = USUAL_COUNT.bound, seed = 0, stepsPerImage = null, clip } = options;
  const split = options.split ?? (images.test ? "test" : "train");
  const bound = await imageBound(opened.model, partOf(images, split), {
    count,
    seed,
    stepsPerImage,
    ...(clip !== undefined && { clip: clip === Infinity ? null : ([-clip, clip] as const) }),
    onProgress: (share) => progress.update(Math.floor(100 * share)),
    ...placementOf(options),
  }).finally(() => progress.stop());
  const data = images.name;
  return { values: { seed, data, split, bound }, text: boundLines(bound, { data, split, weights, stepsPerImage }) };
}

async function measureScores(measuring: Measuring): Promise<Report> {
  const { opened, weights, images, options } = measuring;
  const { count = USUAL_COUNT.scores, seed = 0, split, referenceCount, guidance } = options;
  const reference = { ...(split && { reference: split }), ...(referenceCount !== undefined && { referenceCount }) };
  partOf(images, split ?? "train");
  checkScoreCounts({ real: images, n: count, ...reference });
  checkGuidance(opened.model, guidance);
  checkImageCount(count, sampleShapeOf(opened.model.denoiser), "npy");
  const choice = chooseImageSampler(opened, options, { usual: "ddim" });
  const net = await featureNet(measuring);
  try {
    const fake = await drawn(measuring, choice, count, seed);
    const { terminal } = measuring;
    const progress = new Progress(terminal, { label: "measuring", total: 100, delay: 2 });
    const scores = await imageScores({
      real: images,
      fake: sampledImages(fake),
      net,
      seed,
      ...reference,
      onProgress: ({ done, total }) => progress.update(Math.floor((100 * done) / total)),
    }).finally(() => progress.stop());
    const sampler = guidance === undefined ? choice.label : `${choice.label}, guidance ${guidance}`;
    return { values: { sampler, scores }, text: scoreLines(scores, { sampler, weights }) };
  } finally {
    await net.dispose();
  }
}

/** @throws UnnoiseError `usage` for guidance that the model cannot follow */
function checkGuidance(model: ImageModel, guidance: number | undefined): void {
  if (guidance === undefined) return;
  const [named, rows] = [classCountOf(model), classesOf(model.denoiser)];
  if (named > 0 && (guidance === 1 || named < rows)) return;
  const why = named === 0 ? "this model knows no classes" : "this model was never trained without a class";
  throw new UnnoiseError("usage", `--guidance: ${why}; leave it out`);
}

/** Samples, of all classes in turn where the network knows classes. */
async function drawn(
  { opened: { model }, options, terminal }: Measuring,
  choice: ImageSamplerChoice,
  count: number,
  seed: number,
): Promise<Awaited<ReturnType<typeof sampleImages>>> {
  const progress = new Progress(terminal, { label: "sampling", total: choice.steps, unit: "steps", delay: 2 });
  return sampleImages(model, {
    ...choice.options,
    sampler: choice.sampler,
    count,
    seed,
    ...(classCountOf(model) > 0 && { labels: "all" as const }),
    ...(options.guidance !== undefined && { guidance: options.guidance }),
    onStep: ({ index }, group) => progress.update((group.index * choice.steps + index + 1) / group.groups),
    ...placementOf(options),
  }).finally(() => progress.stop());
}

/** @throws UnnoiseError `usage` where the data have no test part */
function partOf(images: ImageDataset, split: ReferenceSplit): ImageDataset {
  const part = split === "test" ? images.test : images;
  if (part) return part;
  throw new UnnoiseError("usage", `--split test: ${images.name} has no test part; take train`);
}

async function featureNet({ images, options, terminal }: Measuring): Promise<FeatureNet> {
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
    onProgress: ({ iteration, iterations }) => progress.update(Math.floor((100 * iteration) / iterations)),
    ...placement,
  }).finally(() => progress.stop());
}
