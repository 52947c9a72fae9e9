import { UnnoiseError } from "../math/error.ts";
import { type FloatTensor, sameShape } from "../tensor/tensor.ts";
import { coverage } from "./coverage.ts";
import { energyDistance } from "./energy.ts";
import { median } from "./median.ts";
import { medianHeuristic, mmd } from "./mmd.ts";
import { slicedWasserstein2 } from "./sliced-wasserstein.ts";
import { wasserstein2 } from "./wasserstein.ts";

export type MetricName = "w2" | "slicedW2" | "mmd" | "energy" | "coverage";

/** One metric of a sample set beside what two fresh draws of the data reach against each other. */
export interface MetricRow {
  readonly name: MetricName;
  readonly label: string;
  /** Samples against reference. */
  readonly value: number;
  /** Data against data: the median over the floor pairs. */
  readonly floor: number;
  /** value / floor, near 1 for perfect samples; null where the floor is 0. */
  readonly ratio: number | null;
  /** Which direction of value and ratio is better. */
  readonly better: "lower" | "higher";
}

/** Plain JSON. */
export interface MetricTable {
  readonly metrics: readonly MetricRow[];
  /** Points in each set. */
  readonly count: number;
}

export interface EvaluateProgress {
  /** Measurements done, of `total`. */
  readonly done: number;
  readonly total: number;
  readonly name: MetricName;
}

/** What each metric gives for data against data. */
export type Floors = Readonly<Record<MetricName, number>>;

interface MeasureOptions {
  /** Points of the data, `[n, …D]`. */
  readonly reference: FloatTensor;
  /** Seed of the random projections. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Called after each measurement. */
  readonly onProgress?: (progress: EvaluateProgress) => void;
}

export interface FloorOptions extends MeasureOptions {
  /** At least one pair of independent draws of the data, each `[n, …D]`, none of them `reference`. */
  readonly floorPairs: readonly (readonly [FloatTensor, FloatTensor])[];
}

export interface EvaluateOptions extends MeasureOptions {
  /** Points to judge, `[n, …D]`. */
  readonly samples: FloatTensor;
  /** From `measureFloors`, with the same reference and seed. */
  readonly floors: Floors;
}

interface Metric {
  readonly name: MetricName;
  readonly label: string;
  readonly better: "lower" | "higher";
  readonly measure: (real: FloatTensor, generated: FloatTensor) => number;
}

/**
 * The floor of every metric: two independent draws of the data against each other, the median over several pairs. Measure it once
 * and judge any number of samplers by it.
 * @throws UnnoiseError `usage` for sets of unlike shape or no pair, `interrupted` once `signal` is aborted
 */
export async function measureFloors(options: FloorOptions): Promise<Floors> {
  const { reference, floorPairs, seed } = options;
  if (floorPairs.length === 0)
    throw new UnnoiseError("usage", "evaluation: at least one floor pair is needed, got none");
  checkSets(reference, floorPairs.flat());
  const metrics = metricsFor(reference, seed);
  const measured = measureWith(options, metrics.length * floorPairs.length);
  const floors: [MetricName, number][] = [];
  for (const metric of metrics) {
    const values: number[] = [];
    for (const [real, fresh] of floorPairs) values.push(await measured(metric, real, fresh));
    floors.push([metric.name, median(values)]);
  }
  return Object.fromEntries(floors) as Record<MetricName, number>;
}

/**
 * Measures samples by W2, sliced W2, MMD, energy distance and coverage, each beside its floor. All sets must hold the same
 * number of points, since the floor of every one of these depends on it, and share one unit: pass standardised points, so that
 * every coordinate counts alike. MMD uses the reference's median distance, and sliced W2 the same directions, in value and
 * floor. The event loop runs between measurements.
 * @throws UnnoiseError `usage` for sets of unlike shape, `not-finite` for a value that is not finite, `interrupted` once
 * `signal` is aborted
 */
export async function evaluateSamples(options: EvaluateOptions): Promise<MetricTable> {
  const { samples, reference, floors, seed } = options;
  checkSets(reference, [samples]);
  const metrics = metricsFor(reference, seed);
  const measured = measureWith(options, metrics.length);
  const rows: MetricRow[] = [];
  for (const metric of metrics) {
    const { name, label, better } = metric;
    const value = await measured(metric, reference, samples);
    const floor = floors[name];
    rows.push({ name, label, value, floor, ratio: floor > 0 ? value / floor : null, better });
  }
  return { metrics: rows, count: reference.shape[0] ?? 0 };
}

function metricsFor(reference: FloatTensor, seed: number): Metric[] {
  const bandwidth = medianHeuristic(reference);
  const sliced = (real: FloatTensor, generated: FloatTensor) => slicedWasserstein2(real, generated, { seed });
  const kernel = (real: FloatTensor, generated: FloatTensor) => mmd(real, generated, { bandwidth });
  return [
    { name: "w2", label: "W2", better: "lower", measure: wasserstein2 },
    { name: "slicedW2", label: "sliced W2", better: "lower", measure: sliced },
    { name: "mmd", label: "MMD", better: "lower", measure: kernel },
    { name: "energy", label: "energy distance", better: "lower", measure: energyDistance },
    { name: "coverage", label: "coverage", better: "higher", measure: (real, generated) => coverage(real, generated) },
  ];
}

type Measure = (metric: Metric, real: FloatTensor, generated: FloatTensor) => Promise<number>;

function measureWith({ signal, onProgress }: MeasureOptions, total: number): Measure {
  let done = 0;
  return async (metric, real, generated) => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (signal?.aborted === true)
      throw new UnnoiseError("interrupted", `evaluation: interrupted before ${metric.label}`);
    const value = metric.measure(real, generated);
    done++;
    onProgress?.({ done, total, name: metric.name });
    return value;
  };
}

function checkSets(reference: FloatTensor, sets: readonly FloatTensor[]): void {
  const unlike = sets.find((set) => !sameShape(set.shape, reference.shape));
  if (!unlike) return;
  const shapes = `[${reference.shape.join(", ")}] and [${unlike.shape.join(", ")}]`;
  throw new UnnoiseError("usage", `evaluation: all sets need one shape, got ${shapes}; draw equally many points`);
}
