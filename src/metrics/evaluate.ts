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

export interface EvaluateOptions {
  /** Points to judge, `[n, …D]`. */
  readonly samples: FloatTensor;
  /** Points of the data, `[n, …D]`. */
  readonly reference: FloatTensor;
  /** At least one pair of independent draws of the data, each `[n, …D]`, none of them `reference`. */
  readonly floorPairs: readonly (readonly [FloatTensor, FloatTensor])[];
  /** Seed of the random projections. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Called after each measurement. */
  readonly onProgress?: (progress: EvaluateProgress) => void;
}

interface Metric {
  readonly name: MetricName;
  readonly label: string;
  readonly better: "lower" | "higher";
  readonly measure: (real: FloatTensor, generated: FloatTensor) => number;
}

/**
 * Measures samples by W2, sliced W2, MMD, energy distance and coverage, each beside its floor. All sets must hold the same
 * number of points, since the floor of every one of these depends on it, and share one unit: pass standardised points, so that
 * every coordinate counts alike. MMD uses the reference's median distance, and sliced W2 the same directions, in value and
 * floor. The event loop runs between measurements.
 * @throws UnnoiseError `usage` for sets of unlike shape or no floor pair, `not-finite` for a value that is not finite,
 * `interrupted` once `signal` is aborted
 */
export async function evaluateSamples(options: EvaluateOptions): Promise<MetricTable> {
  checkSets(options);
  const { reference } = options;
  const metrics = metricsFor(reference, options.seed);
  const measured = measureWith(options, metrics.length * (options.floorPairs.length + 1));
  const rows: MetricRow[] = [];
  for (const metric of metrics) rows.push(await measureRow(metric, options, measured));
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

async function measureRow(metric: Metric, options: EvaluateOptions, measured: Measure): Promise<MetricRow> {
  const { name, label, better } = metric;
  const value = await measured(metric, options.reference, options.samples);
  const floors: number[] = [];
  for (const [real, fresh] of options.floorPairs) floors.push(await measured(metric, real, fresh));
  const floor = median(floors);
  return { name, label, value, floor, ratio: floor > 0 ? value / floor : null, better };
}

function measureWith({ signal, onProgress }: EvaluateOptions, total: number): Measure {
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

function checkSets({ samples, reference, floorPairs }: EvaluateOptions): void {
  if (floorPairs.length === 0)
    throw new UnnoiseError("usage", "evaluation: at least one floor pair is needed, got none");
  for (const set of [samples, ...floorPairs.flat()]) {
    if (!sameShape(set.shape, reference.shape)) {
      const shapes = `[${reference.shape.join(", ")}] and [${set.shape.join(", ")}]`;
      throw new UnnoiseError("usage", `evaluation: all sets need one shape, got ${shapes}; draw equally many points`);
    }
  }
}
