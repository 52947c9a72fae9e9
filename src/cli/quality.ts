import type { Dataset } from "../data/dataset.ts";
import { standardise } from "../data/standardise.ts";
import { UnnoiseError, at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { evaluateSamples, measureFloors, type MetricRow, type MetricTable } from "../metrics/evaluate.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { sample } from "../train/sample.ts";
import type { OpenRun } from "./open-run.ts";
import { takeRows } from "./rows.ts";
import type { PlacementFlags, SamplerChoice } from "./sampler-choice.ts";
import { alignedLines, counted, grouped } from "./text.ts";

/** How good the samples of one sampler are. */
export interface SamplerQuality extends MetricTable {
  readonly label: string;
  readonly sampler: string;
  readonly steps: number;
}

/** Samplers of a run measured against the same data. */
export interface Quality {
  /** Points in each set. */
  readonly count: number;
  readonly seed: number;
  /** Where reference and floor come from, and what is counted. */
  readonly note: string;
  readonly samplers: readonly SamplerQuality[];
}

export interface QualityOptions extends PlacementFlags {
  readonly count: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Called with the share of the work that is done, in 0…1. */
  readonly onProgress?: (share: number) => void;
}

type FloorPairs = readonly (readonly [FloatTensor, FloatTensor])[];

/** Real points to measure against, in raw units. */
interface RealPoints {
  readonly reference: FloatTensor;
  readonly floorPairs: FloorPairs;
  readonly count: number;
  readonly note: string;
}

const FLOOR_PAIRS = 3;
const LEAST_POINTS = 10;
/** Shuffles are numbered from here on, past the directions that sliced W2 draws from the same stream. */
const FIRST_SHUFFLE = 2 ** 20;
const MAX_SEED = 2 ** 53 - 1;

const nearbySeed = (seed: number, offset: number): number =>
  seed + offset <= MAX_SEED ? seed + offset : seed - offset;

/** Fresh points where the generator is known, else disjoint halves of what there is. */
function realPoints(dataset: Dataset, count: number, seed: number): RealPoints {
  const { draw, points } = dataset;
  if (!draw) return halves(points, count, seed);
  const fresh = (offset: number): FloatTensor => draw(count, nearbySeed(seed, offset));
  const floorPairs = Array.from({ length: FLOOR_PAIRS }, (_, i) => [fresh(2 * i + 1), fresh(2 * i + 2)] as const);
  const note = `floor: fresh data against fresh data, median of ${FLOOR_PAIRS}`;
  return { reference: fresh(0), floorPairs, count, note };
}

function halves(points: FloatTensor, asked: number, seed: number): RealPoints {
  const total = at(points.shape, 0);
  const count = Math.min(asked, Math.floor(total / 2));
  if (count < LEAST_POINTS) {
    throw new UnnoiseError(
      "data",
      `evaluate: expected at least ${2 * LEAST_POINTS} points in the data, and --count at least ${LEAST_POINTS}; got ${total} and ${asked}`,
    );
  }
  const random = new Random(seed, "metric");
  const half = (shuffle: number, which: number): FloatTensor => {
    const order = random.permutation(total, FIRST_SHUFFLE + shuffle);
    return takeRows(points, order.subarray(which * count, (which + 1) * count));
  };
  const floorPairs = Array.from({ length: FLOOR_PAIRS }, (_, i) => [half(i + 1, 0), half(i + 1, 1)] as const);
  const limit =
    count < asked ? ` (--count ${asked} needs ${grouped(2 * asked)} points, the data has ${grouped(total)})` : "";
  const note = `floor: random halves of the data against each other, median of ${FLOOR_PAIRS}${limit}`;
  return { reference: half(0, 0), floorPairs, count, note };
}

/** Shares of the work: of the floors in all of it, and of sampling in that of one sampler. */
const FLOOR_SHARE = 0.3;
const SAMPLING_SHARE = 0.6;

/**
 * Samples with each sampler and measures against the data, all in standardised units.
 * @throws UnnoiseError what sampling and measuring throw; `data` for too few points
 */
export async function measureQuality(
  run: OpenRun,
  choices: readonly SamplerChoice[],
  options: QualityOptions,
): Promise<Quality> {
  const { seed, signal } = options;
  const real = realPoints(await run.dataset(), options.count, seed);
  const scaled = (points: FloatTensor): FloatTensor => standardise(points, run.model.standardiser);
  const reference = scaled(real.reference);
  const floorPairs = real.floorPairs.map(([a, b]) => [scaled(a), scaled(b)] as const);
  const floors = await measureFloors({
    reference,
    floorPairs,
    seed,
    signal,
    onProgress: ({ done, total }) => options.onProgress?.((FLOOR_SHARE * done) / total),
  });
  const samplers: SamplerQuality[] = [];
  for (const [index, choice] of choices.entries()) {
    const tell = (share: number): void =>
      options.onProgress?.(FLOOR_SHARE + ((1 - FLOOR_SHARE) * (index + share)) / choices.length);
    const samples = scaled(await samplesOf(run, choice, { ...options, count: real.count }, tell));
    const onProgress = ({ done, total }: { readonly done: number; readonly total: number }): void =>
      tell(SAMPLING_SHARE + ((1 - SAMPLING_SHARE) * done) / total);
    const table = await evaluateSamples({ samples, reference, floors, seed, signal, onProgress });
    samplers.push({ label: choice.label, sampler: choice.name, steps: choice.steps, ...table });
  }
  return { count: real.count, seed, note: real.note, samplers };
}

function samplesOf(
  run: OpenRun,
  choice: SamplerChoice,
  { onProgress: _, ...options }: QualityOptions,
  tell: (share: number) => void,
): Promise<FloatTensor> {
  return sample(run.model, {
    ...options,
    ...choice.options,
    sampler: choice.sampler,
    onStep: ({ index, count }) => tell((SAMPLING_SHARE * (index + 1)) / count),
  });
}

const HEADER = ["value", "floor", "ratio"] as const;
const significant = (value: number): string => (value === 0 ? "0" : Number(value.toPrecision(4)).toString());

function cellsOf({ label, value, floor, ratio, better }: MetricRow): string[] {
  const name = better === "higher" ? `${label} (higher is better)` : label;
  return [name, significant(value), significant(floor), ratio === null ? "–" : ratio.toFixed(2)];
}

/** The figures as a table for people: a group of rows for each sampler. */
export function qualityText({ count, note, samplers }: Quality): string {
  const groups = samplers.flatMap(({ label, metrics }) => [
    [label, ...HEADER],
    ...metrics.map(cellsOf).map(([name = "", ...rest]) => [`  ${name}`, ...rest]),
  ]);
  const remarks = [
    `${counted(count, "point")} a set, standardised; ${note}`,
    "ratio: value / floor, near 1 for samples as good as data",
  ];
  return `${[...alignedLines(groups), "", ...remarks].join("\n")}\n`;
}

/** The figures as header and rows for a page. */
export function qualityRows({ samplers }: Quality): { readonly header: string[]; readonly rows: string[][] } {
  const rows = samplers.flatMap(({ label, metrics }) => metrics.map((metric) => [label, ...cellsOf(metric)]));
  return { header: ["sampler", "metric", ...HEADER], rows };
}
