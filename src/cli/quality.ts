import { checkMeasurable } from "../train/evaluation-data.node.ts";
import { standardise } from "../data/standardise.ts";
import { evaluateSamples, measureFloors, type MetricRow, type MetricTable } from "../metrics/evaluate.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { realPoints } from "../train/real-points.ts";
import { sample } from "../train/sample.ts";
import type { OpenRun } from "../train/open-run.node.ts";
import type { SamplerChoice } from "../diffusion/sampler-choice.ts";
import type { PlacementFlags } from "./placement.ts";
import { alignedLines, counted } from "../math/text.ts";

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
  /** Called with the share of the work that is done, in 0…1. */
  readonly onProgress?: (share: number) => void;
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
  const { seed } = options;
  const dataset = await run.dataset();
  checkMeasurable(dataset, options.count);
  const real = realPoints(dataset, options.count, seed);
  const scaled = (points: FloatTensor): FloatTensor => standardise(points, run.model.standardiser);
  const reference = scaled(real.reference);
  const floorPairs = real.floorPairs.map(([a, b]) => [scaled(a), scaled(b)] as const);
  const floors = await measureFloors({
    reference,
    floorPairs,
    seed,
    onProgress: ({ done, total }) => options.onProgress?.((FLOOR_SHARE * done) / total),
  });
  const samplers: SamplerQuality[] = [];
  for (const [index, choice] of choices.entries()) {
    const tell = (share: number): void =>
      options.onProgress?.(FLOOR_SHARE + ((1 - FLOOR_SHARE) * (index + share)) / choices.length);
    const samples = scaled(await samplesOf(run, choice, { ...options, count: real.count }, tell));
    const onProgress = ({ done, total }: { readonly done: number; readonly total: number }): void =>
      tell(SAMPLING_SHARE + ((1 - SAMPLING_SHARE) * done) / total);
    const table = await evaluateSamples({ samples, reference, floors, seed, onProgress });
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
