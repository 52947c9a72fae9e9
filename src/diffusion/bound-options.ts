import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";
import { decoders, type Decoder, type DecoderName } from "./decoder.ts";
import type { NoiseSource, SamplerNoise } from "./noise.ts";
import { transitionsOf, type ModelVariance, type Transition } from "./reverse-transition.ts";
import { sampleWidth, type Denoiser, type SamplerOptions } from "./sampler.ts";
import type { NoiseSchedule } from "./schedule.ts";
import type { FirstLogVariance } from "./variance.ts";
import { Walk } from "./walk.ts";

/** What both forms of the bound take. */
export interface BoundOptions extends Pick<SamplerOptions, "clip" | "threshold" | "epsAfterLimit" | "signal"> {
  readonly denoiser: Denoiser;
  readonly schedule: NoiseSchedule;
  /** x_0 `[N, …D]`, N ≥ 1, standardised. */
  readonly x0: FloatTensor;
  /** Where ε comes from, e.g. `new Random(7, "bound")`; each form has its own addresses. */
  readonly noise: NoiseSource;
  /** σ² of the reverse steps; `large` if absent. */
  readonly variance?: ModelVariance;
  /** What stands for log β̃ of the last step; `second` if absent. */
  readonly first?: FirstLogVariance;
  /** log p_θ(x_0|x_1); `density` if absent. */
  readonly decoder?: DecoderName | Decoder;
  /** A number of steps, spaced by `trailingSteps`, or the steps themselves; all T if absent. */
  readonly steps?: number | ArrayLike<number>;
  /** Standard deviation of each of the D columns before the data were standardised; 1 if absent. */
  readonly scale?: ArrayLike<number>;
  /** Rows for each call of the denoiser; 4096 if absent. */
  readonly batchRows?: number;
  /** Index of the first row's noise, for runs in parts; 0 if absent. */
  readonly firstIndex?: number;
  /** Called with the share of the work that is done, in 0…1. */
  readonly onProgress?: (share: number) => void;
}

const BATCH_ROWS = 4096;

/** Options of the bound, checked and with their defaults. */
export interface BoundSetup {
  readonly x0: FloatTensor;
  readonly rows: number;
  readonly width: number;
  readonly schedule: NoiseSchedule;
  readonly noise: NoiseSource;
  readonly firstIndex: number;
  readonly variance: ModelVariance;
  readonly decoder: Decoder;
  /** Upwards: the first one ends at the data. */
  readonly transitions: readonly Transition[];
  readonly scale: Float64Array;
  readonly batchRows: number;
  /** Asks the denoiser, checks and limits what it says. */
  readonly walk: Walk;
  readonly onProgress: (share: number) => void;
}

/**
 * @param name of the form, for errors
 * @throws UnnoiseError `usage` for options out of range
 */
export function boundSetup(name: string, options: BoundOptions): BoundSetup {
  const { x0, schedule, noise, decoder = "density", variance = "large", firstIndex = 0, steps } = options;
  const { batchRows = BATCH_ROWS, first = "second", onProgress = () => undefined } = options;
  const width = sampleWidth(x0.shape);
  requireAtLeast("rows of x0", x0.shape[0] ?? 0, 1);
  requireAtLeast("values of a row of x0", width, 1);
  requireAtLeast("batchRows", batchRows, 1);
  requireAtLeast("firstIndex", firstIndex, 0);
  return {
    x0,
    rows: sizeOf(x0.shape) / width,
    width,
    schedule,
    noise,
    firstIndex,
    variance,
    decoder: typeof decoder === "string" ? decoders[decoder] : decoder,
    transitions: transitionsOf(steps, { schedule, first }),
    scale: scaleOf(options.scale, width),
    batchRows,
    walk: new Walk(name, { ...options, shape: x0.shape, noise: unused(noise) }),
    onProgress,
  };
}

/** A walk also holds a sampler's noise; the bound draws its own. */
const unused = (noise: NoiseSource): SamplerNoise => ({ start: noise, steps: noise });

function scaleOf(scale: ArrayLike<number> | undefined, width: number): Float64Array {
  const values = scale === undefined ? new Float64Array(width).fill(1) : Float64Array.from(scale);
  if (values.length === width && values.every((value) => value > 0 && value < Infinity)) return values;
  throw new UnnoiseError("usage", `scale: expected ${width} finite numbers above 0, got [${values.join(", ")}]`);
}

function requireAtLeast(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new UnnoiseError("usage", `${name}: expected an integer ≥ ${least}, got ${value}`);
}

/** Standard normal draws `[count, …D]` for the rows from `firstRow` on, at an address. */
export function drawNoise(setup: BoundSetup, firstRow: number, count: number, address: number): FloatTensor {
  const { noise, width, firstIndex } = setup;
  const data = new Float32Array(count * width);
  noise.normals(data, width, firstIndex + firstRow, address);
  return { dtype: "float32", shape: shapeOf(setup, count), data };
}

/** Rows `firstRow`, … of x_0, as a view. */
export function rowsOf(setup: BoundSetup, firstRow: number, count: number): FloatTensor {
  const { x0, width } = setup;
  const data = x0.data.subarray(firstRow * width, (firstRow + count) * width);
  return { dtype: "float32", shape: shapeOf(setup, count), data };
}

const shapeOf = ({ x0 }: BoundSetup, count: number): number[] => [count, ...x0.shape.slice(1)];
