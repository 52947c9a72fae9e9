import type { MachineMemory } from "../math/machine-memory.ts";
import { optimise } from "../graph/passes/optimise.ts";
import { peakMemory } from "../graph/peak-memory.ts";
import { lastFirstOrder } from "../graph/traverse.ts";
import { UnnoiseError } from "../math/error.ts";
import { fileSize } from "../math/text.ts";
import { parameterCount } from "../nn/parameters.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { activationBytes as imageActivationBytes, chunkRowsOf } from "./chunk-rows.ts";
import type { TrainingConfig } from "./config.ts";
import { gradientGraph } from "./train-step.ts";
import { denoiserConfigOf } from "./trainer.ts";
import type { TrainingData } from "./training-data.ts";
import { trainedLoss } from "./training-loss.ts";

/** Memory that training takes at its peak, roughly, in bytes. */
export interface TrainingMemory {
  /** Weights, their gradient, the moments of the optimiser and averages. */
  readonly weights: number;
  /** The most that activations and their gradients take at one time, with the batch. */
  readonly activations: number;
  /** What ONNX Runtime takes beyond that: room for operators, and what it holds longer than it must. */
  readonly runtime: number;
  /** What a checkpoint takes while it is written. */
  readonly checkpoint: number;
  /** What grids and bounds take while they are measured, with sessions of their own. */
  readonly measures: number;
  /** The data set, as far as it is held in memory. */
  readonly data: number;
  /** The program itself with its libraries. */
  readonly program: number;
  readonly total: number;
}

const FLOAT = 4;
/** Node with ONNX Runtime before anything is trained. */
const PROGRAM = 250e6;
/**
 * Share of the activations that ONNX Runtime takes beside them. With it the estimate was 1.0 to 1.4 times what three steps took of the presets
 * unet-small, dit-small, convnext-small (32 rows) and, before the last change of the order of execution, unet-medium and ddpm-cifar10.
 */
const RUNTIME_SHARE = { kept: 0.6, recomputed: 2.2 } as const;
/** Most bytes of pixels that are held in memory. */
const MOST_PIXELS = 256e6;
/** Weights, gradient, two moments and their average. */
const VECTORS = 5;
/** Those of them that a checkpoint holds: all but the gradient. They are copied, and again into the bytes of its file. */
const SAVED = 4;
const COPIES = 2;
/** Copies of the weights in one session: as constants of its graph, in float64, and as kernels, some of them filtered. */
const KERNELS = 4;

/**
 * Estimates the memory that training needs before it starts: what is known exactly, and of activations the peak by the lives of the values
 * of the graph.
 * @throws UnnoiseError `usage` when the network does not fit the data
 */
export function trainingMemory(config: TrainingConfig, data: TrainingData): TrainingMemory {
  const { batchSize, accumulate: parts, conditional, moreEmaDecays, timestepDraw, recompute } = config;
  const trained = trainedLoss(config, denoiserConfigOf(config, data));
  const weightedRows = timestepDraw === "importance";
  const shapes = { batchSize: batchSize / parts, sampleShape: data.sampleShape, conditional, weightedRows, recompute };
  const vector = FLOAT * parameterCount(trained.parameters);
  const activations = activationBytes(gradientGraph({ ...trained, ...shapes }).outputs, vector);
  const bytes = {
    weights: (VECTORS + (parts > 1 ? 1 : 0) + moreEmaDecays.length) * vector,
    activations,
    runtime: activations * RUNTIME_SHARE[recompute ? "recomputed" : "kept"],
    checkpoint: COPIES * (SAVED + moreEmaDecays.length) * vector,
    measures: measureBytes(config, data, vector),
    data: dataBytes(data),
    program: PROGRAM,
  };
  return { ...bytes, total: Object.values(bytes).reduce((sum, part) => sum + part, 0) };
}

/** Of the gradient's graph, without the weights that it reads and the gradient that it leaves, which are counted apart. */
function activationBytes(outputs: ReturnType<typeof gradientGraph>["outputs"], vector: number): number {
  const nodes = optimise(Object.values(outputs));
  const { activations, inputs, constants } = peakMemory(nodes, lastFirstOrder(nodes));
  return activations + inputs + constants - 2 * vector;
}

/** One session for a grid, one for each power of two up to a whole chunk for the bound. */
function measureBytes(config: TrainingConfig, data: TrainingData, vector: number): number {
  const { kind, boundEvery, sampleEvery } = config;
  if (kind !== "images" || (boundEvery === null && sampleEvery === null)) return 0;
  const denoiser = denoiserConfigOf(config, data);
  const rows = chunkRowsOf({ kind, denoiser });
  const sessions = boundEvery === null ? 1 : 1 + Math.ceil(Math.log2(rows));
  // Sessions of 1, 2, 4, … rows take together at most twice what the largest takes.
  const activations = Math.min(2, sessions) * rows * imageActivationBytes(denoiser) * (1 + RUNTIME_SHARE.kept);
  return activations + sessions * KERNELS * vector;
}

/** Images are bytes, of which a large set stays on the disk; points are kept as they are and standardised. */
function dataBytes({ kind, count, sampleShape }: TrainingData): number {
  const values = count * sizeOf(sampleShape);
  return kind === "images" ? Math.min(values, MOST_PIXELS) : 2 * FLOAT * values;
}

/**
 * Checks that training fits.
 * @throws UnnoiseError `usage` with advice when it needs more than is available
 */
export function checkMemory(needed: TrainingMemory, machine: MachineMemory, config: TrainingConfig): void {
  if (needed.total <= machine.available) return;
  const { batchSize, accumulate, recompute, kind } = config;
  const what = `${fileSize(needed.total)} of memory, ${fileSize(needed.activations)} of it for activations`;
  const smaller = `a batchSize below ${batchSize}`;
  const others = [
    ...(batchSize > accumulate ? [`accumulate above ${accumulate}`] : []),
    ...(recompute || kind === "points" ? [] : ["recompute"]),
  ];
  throw new UnnoiseError(
    "usage",
    `training needs about ${what}, and ${fileSize(machine.available)} are available; choose ${[smaller, ...others].join(" or ")}`,
  );
}
