import { BatchOrder } from "../data/batches.ts";
import { LossMoments } from "../diffusion/objectives/loss-moments.ts";
import { drawAntithetic, drawByImportance, drawUniform } from "../diffusion/objectives/timestep-draw.ts";
import { Random } from "../math/random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { TrainingConfig } from "./config.ts";
import type { Batch } from "./step-engine.ts";
import type { DropoutMask } from "./train-step.ts";
import type { TrainingData } from "./training-data.ts";

/** A batch that can be written into. */
type Buffers = { -readonly [K in keyof Batch]: Batch[K] };

/** Draws the batch of each iteration: samples, noise, timesteps, and where they are asked, mirrors, classes and dropout. */
export class BatchDraws {
  /** The parts of the batch; `draw` fills them. */
  readonly parts: readonly Batch[];
  readonly #config: TrainingConfig;
  readonly #data: TrainingData;
  readonly #masks: readonly DropoutMask[];
  readonly #order: BatchOrder;
  readonly #rows: Int32Array;
  readonly #batch: Buffers;
  readonly #flips: Uint8Array | undefined;
  readonly #random: Readonly<Record<"noise" | "timestep" | "flip" | "condition" | "dropout", Random>>;

  constructor(config: TrainingConfig, data: TrainingData, masks: readonly DropoutMask[]) {
    const { batchSize, seed } = config;
    const random = (stream: "noise" | "timestep" | "flip" | "condition" | "dropout"): Random =>
      new Random(seed, stream);
    this.#config = config;
    this.#data = data;
    this.#masks = masks;
    this.#order = new BatchOrder(data.count, seed);
    this.#rows = new Int32Array(batchSize);
    this.#batch = buffersOf(config, data);
    this.#flips = config.flips ? new Uint8Array(batchSize) : undefined;
    this.#random = {
      noise: random("noise"),
      timestep: random("timestep"),
      flip: random("flip"),
      condition: random("condition"),
      dropout: random("dropout"),
    };
    this.parts = partsOf(this.#batch, config.accumulate, masks);
  }

  /** Timesteps of the batch [B]. */
  get steps(): Int32Array {
    return this.#batch.steps;
  }

  /**
   * Fills the batch.
   * @param iteration 0-based
   * @param moments losses so far, where steps are drawn by importance
   */
  draw(iteration: number, moments: LossMoments | undefined): void {
    const { batchSize } = this.#config;
    const { x0, eps } = this.#batch;
    this.#order.indices(this.#rows, iteration * batchSize);
    if (this.#flips) this.#random.flip.bits(this.#flips, 0.5, 0, iteration);
    this.#data.gather(this.#rows, x0, this.#flips);
    this.#random.noise.normals(eps, eps.length / batchSize, 0, iteration);
    this.#drawSteps(iteration, moments);
    this.#drawLabels(iteration);
    this.#drawMasks(iteration);
  }

  #drawSteps(iteration: number, moments: LossMoments | undefined): void {
    const { timesteps, timestepDraw } = this.#config;
    const { steps, lossWeights } = this.#batch;
    const random = this.#random.timestep;
    if (lossWeights && moments) drawByImportance(steps, lossWeights, moments, random, iteration);
    else (timestepDraw === "antithetic" ? drawAntithetic : drawUniform)(steps, timesteps, random, iteration);
  }

  /** The class of each sample; of some of them that of no class. */
  #drawLabels(iteration: number): void {
    const { classLabels } = this.#batch;
    const { labels, classes = [] } = this.#data;
    if (!classLabels || !labels) return;
    const untold = new Uint8Array(classLabels.length);
    this.#random.condition.bits(untold, this.#config.labelDropout, 0, iteration);
    this.#rows.forEach((row, i) => (classLabels[i] = untold[i] === 1 ? classes.length : (labels[row] as number)));
  }

  /** Each sample has a row of draws of its own in each mask, whatever part it is in. */
  #drawMasks(iteration: number): void {
    const { batchSize, accumulate } = this.#config;
    const rows = batchSize / accumulate;
    this.parts.forEach(({ keeps = {} }, part) =>
      this.#masks.forEach(({ name, rate }, i) => {
        const mask = keeps[name] ?? new Uint8Array();
        const width = mask.length / rows;
        for (let row = 0; row < rows; row++) {
          const own = mask.subarray(row * width, (row + 1) * width);
          this.#random.dropout.bits(own, 1 - rate, i * batchSize + part * rows + row, iteration);
        }
      }),
    );
  }
}

function buffersOf({ batchSize, timestepDraw, conditional }: TrainingConfig, { sampleShape }: TrainingData): Buffers {
  const values = batchSize * sizeOf(sampleShape);
  return {
    x0: new Float32Array(values),
    eps: new Float32Array(values),
    steps: new Int32Array(batchSize),
    ...(timestepDraw === "importance" && { lossWeights: new Float32Array(batchSize) }),
    ...(conditional && { classLabels: new Int32Array(batchSize) }),
  };
}

/** Views of equal parts of a batch, each with masks of its own. */
function partsOf(batch: Buffers, parts: number, masks: readonly DropoutMask[]): Batch[] {
  return Array.from({ length: parts }, (_, part) => {
    const view = <A extends Float32Array | Int32Array>(all: A): A =>
      all.subarray((part * all.length) / parts, ((part + 1) * all.length) / parts) as A;
    const { x0, eps, steps, lossWeights, classLabels } = batch;
    return {
      x0: view(x0),
      eps: view(eps),
      steps: view(steps),
      ...(lossWeights && { lossWeights: view(lossWeights) }),
      ...(classLabels && { classLabels: view(classLabels) }),
      keeps: Object.fromEntries(masks.map(({ name, shape }) => [name, new Uint8Array(sizeOf(shape))])),
    };
  });
}
