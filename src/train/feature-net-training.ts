import { BatchOrder } from "../data/batches.ts";
import { pickImages, type ImageDataset } from "../data/images.ts";
import { input } from "../graph/builders.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { AdamwKernel } from "../nn/adamw-kernel.ts";
import { classifierParameters, classify, crossEntropy, type ClassifierConfig } from "../nn/classifier.ts";
import { emaDecay } from "../nn/ema.ts";
import { initialise, parameterCount } from "../nn/parameters.ts";
import { compile, type CompileOptions, type Executable, type HostArray } from "../runtime/executable.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { eventLoopPause } from "./event-loop.ts";
import { shiftImages } from "./feature-net-shift.ts";
import { classifierFor, type ClassifierSettings } from "./feature-net-settings.ts";
import { learningRateAt } from "./learning-rate.ts";

/** A classifier after training. */
export interface TrainedClassifier {
  readonly config: ClassifierConfig;
  readonly settings: ClassifierSettings;
  /** Averaged weights [P], in the order of `classifierParameters`. */
  readonly weights: Float32Array;
  /** Fingerprint of the data set. */
  readonly fingerprint: string;
  /** Name of the data set. */
  readonly data: string;
}

export interface ClassifierProgress {
  readonly iteration: number;
  readonly iterations: number;
  /** Cross-entropy of the batch, in nats. */
  readonly loss: number;
}

export interface ClassifierTrainingOptions extends CompileOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ClassifierProgress) => void;
}

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
const EMA_DECAY = 0.998;
const CLIP_NORM = 1;
const WARMUP_SHARE = 0.1;
/** Share and largest number of images kept from training where the data set has no test part. */
const HELD_OUT = { share: 0.1, most: 5000 } as const;

/** Images to learn from, and those to measure with: the test part, or a tenth that the seed chooses. */
export function learningParts(images: ImageDataset, seed: number): { train: ImageDataset; test: ImageDataset } {
  if (images.test) return { train: images, test: images.test };
  const { name, count, fingerprint } = images;
  const held = Math.max(1, Math.min(HELD_OUT.most, Math.floor(count * HELD_OUT.share)));
  const order = Int32Array.from(new Random(seed, "split").permutation(count));
  const part = (rows: Int32Array, what: string): ImageDataset =>
    pickImages(images, rows, { name: `${name} (${what})`, fingerprint: `${fingerprint}-${what}-${seed}` });
  return { train: part(order.subarray(held), "learned"), test: part(order.subarray(0, held), "held out") };
}

/**
 * Trains a classifier on the labels of a data set by cross-entropy with AdamW; the same seed gives the same weights on the same
 * machine and number of threads.
 * @param images with labels
 * @throws UnnoiseError `usage` for images without labels, `not-finite` when training diverges, `interrupted` once `signal` is
 * aborted, `device` when the device is not available
 */
export async function trainClassifier(
  images: ImageDataset,
  settings: ClassifierSettings,
  options: ClassifierTrainingOptions = {},
): Promise<TrainedClassifier> {
  const config = classifierFor(images, settings);
  const { train } = learningParts(images, settings.seed);
  const step = await LearningStep.create(config, settings, train, options);
  try {
    const weights = await learn(step, options);
    return { config, settings, weights, fingerprint: images.fingerprint, data: images.name };
  } finally {
    await step.dispose();
  }
}

async function learn(step: LearningStep, { signal, onProgress }: ClassifierTrainingOptions): Promise<Float32Array> {
  const pause = eventLoopPause();
  for (let iteration = 0; iteration < step.iterations; iteration++) {
    await pause();
    if (signal?.aborted === true)
      throw new UnnoiseError("interrupted", "feature net: interrupted while it was trained");
    const loss = await step.take(iteration);
    onProgress?.({ iteration: iteration + 1, iterations: step.iterations, loss });
  }
  return step.averaged();
}

/** Loss and gradients of a batch: inputs images, labels and the weights by name. */
function lossGraph(config: ClassifierConfig, batchSize: number): Record<string, Node> {
  const parameters = classifierParameters(config);
  const weights = Object.fromEntries(parameters.map(({ name, shape }) => [name, input(name, shape)]));
  const { logits } = classify(input("images", [batchSize, ...config.shape]), weights, config);
  const loss = crossEntropy(logits, input("labels", [batchSize], "int32"));
  const gradient = grad(loss, Object.values(weights));
  return { loss, ...Object.fromEntries(parameters.map(({ name }, i) => [`gradient.${name}`, at(gradient, i)])) };
}

/** Draws a batch, runs the graph over views of the optimiser's memory, and updates the weights. */
class LearningStep {
  readonly iterations: number;
  readonly #executable: Executable;
  readonly #kernel: AdamwKernel;
  readonly #settings: ClassifierSettings;
  readonly #train: ImageDataset;
  readonly #order: BatchOrder;
  readonly #rows: Int32Array;
  readonly #flips: Uint8Array | undefined;
  /** Down and right, for each image. */
  readonly #shifts: Int32Array;
  readonly #random: { readonly flip: Random; readonly shift: Random };
  readonly #feeds: { readonly images: Float32Array; readonly labels: Int32Array } & Record<string, HostArray>;
  readonly #results: Record<string, Float32Array> = { loss: new Float32Array(1) };

  private constructor(config: ClassifierConfig, settings: ClassifierSettings, train: ImageDataset, graph: Executable) {
    const parameters = classifierParameters(config);
    const batchSize = batchSizeOf(settings, train);
    this.#executable = graph;
    this.#settings = settings;
    this.#train = train;
    this.iterations = settings.epochs * Math.ceil(train.count / batchSize);
    this.#order = new BatchOrder(train.count, settings.seed);
    this.#rows = new Int32Array(batchSize);
    this.#flips = settings.flips ? new Uint8Array(batchSize) : undefined;
    this.#shifts = new Int32Array(2 * batchSize);
    this.#random = { flip: new Random(settings.seed, "flip"), shift: new Random(settings.seed, "noise") };
    this.#kernel = new AdamwKernel(parameterCount(parameters));
    const { weights, ema, gradient } = this.#kernel.vectors;
    weights.set(initialise(parameters, new Random(settings.seed, "init")));
    ema.set(weights);
    this.#feeds = { images: new Float32Array(batchSize * sizeOf(config.shape)), labels: new Int32Array(batchSize) };
    let offset = 0;
    for (const { name, shape } of parameters) {
      const range = [offset, (offset += sizeOf(shape))] as const;
      this.#feeds[name] = weights.subarray(...range);
      this.#results[`gradient.${name}`] = gradient.subarray(...range);
    }
  }

  static async create(
    config: ClassifierConfig,
    settings: ClassifierSettings,
    train: ImageDataset,
    { device, threads }: CompileOptions,
  ): Promise<LearningStep> {
    const graph = lossGraph(config, batchSizeOf(settings, train));
    const placement = { ...(device && { device }), ...(threads !== undefined && { threads }) };
    return new LearningStep(config, settings, train, await compile(graph, placement));
  }

  /** @returns the loss before the update */
  async take(iteration: number): Promise<number> {
    this.#draw(iteration);
    await this.#executable.run(this.#feeds, this.#results);
    const loss = at(this.#results["loss"] ?? [], 0);
    const norm = this.#kernel.gradientNorm();
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      const advice = "lower its learning rate";
      throw new UnnoiseError("not-finite", `feature net: training diverged at iteration ${iteration + 1}; ${advice}`);
    }
    const { iterations } = this;
    const schedule = {
      ...this.#settings,
      iterations,
      decay: "cosine",
      warmup: Math.ceil(WARMUP_SHARE * iterations),
    } as const;
    const learningRate = learningRateAt(iteration, schedule);
    const oneMinusEmaDecay = 1 - emaDecay(EMA_DECAY, iteration + 1);
    const rates = { learningRate, iteration: iteration + 1, oneMinusEmaDecay, clipNorm: CLIP_NORM };
    this.#kernel.step(norm, rates, { ...ADAM, weightDecay: this.#settings.weightDecay });
    return loss;
  }

  averaged(): Float32Array {
    return this.#kernel.vectors.ema.slice();
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
  }

  #draw(iteration: number): void {
    const { images, labels } = this.#feeds;
    this.#order.indices(this.#rows, iteration * this.#rows.length);
    if (this.#flips) this.#random.flip.bits(this.#flips, 0.5, 0, iteration);
    this.#train.gather(this.#rows, images, this.#flips);
    this.#random.shift.integers(this.#shifts, 2 * this.#settings.shift + 1, 0, iteration);
    shiftImages(
      images,
      this.#train.shape,
      this.#shifts.map((value) => value - this.#settings.shift),
    );
    this.#rows.forEach((row, i) => (labels[i] = at(this.#train.labels ?? [], row)));
  }
}

const batchSizeOf = ({ batchSize }: ClassifierSettings, { count }: ImageDataset): number => Math.min(batchSize, count);
