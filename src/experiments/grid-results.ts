import { geometricMean } from "../math/geometric-mean.ts";
import { meanOf, type MeanEstimate } from "../math/running-mean.ts";
import type { MetricName, MetricRow } from "../metrics/evaluate.ts";
import type { Setting } from "./grid.ts";

/** What was measured of one setting on one data set with one seed. */
export interface Cell {
  readonly data: string;
  readonly setting: Setting;
  readonly seed: number;
  /** Undefined where the run failed. */
  readonly metrics: readonly MetricRow[] | undefined;
  /** Sampling steps. */
  readonly steps: number | undefined;
  /** In nats for a point, standardised; undefined where there is none. */
  readonly bound: number | undefined;
}

/** A metric of one setting on one data set, over seeds. */
export interface MetricSummary {
  readonly label: string;
  readonly value: MeanEstimate;
  /** Mean over seeds of what data reach against data. */
  readonly floor: number;
  /** Value of each seed over the mean floor; NaN where that is 0. */
  readonly ratios: readonly number[];
  readonly ratio: MeanEstimate;
}

/** One setting on one data set, over seeds. */
export interface DataSummary {
  readonly data: string;
  /** Empty where all runs failed. */
  readonly metrics: ReadonlyMap<MetricName, MetricSummary>;
  readonly bound: MeanEstimate | undefined;
  readonly seeds: readonly number[];
  readonly failed: number;
}

/** One setting over data sets and seeds. */
export interface SettingSummary {
  readonly setting: Setting;
  /** 1 for the best. */
  readonly rank: number;
  readonly perData: readonly DataSummary[];
  /** Geometric mean over data sets of the W2 ratio, and over seeds; undefined where no seed has all data sets. */
  readonly score: MeanEstimate | undefined;
  readonly failed: number;
}

/** The settings of a study, best first; those that diverged and then those with failed runs last. */
export function summarise(cells: readonly Cell[]): SettingSummary[] {
  const settings = [...new Set(cells.map(({ setting }) => setting))];
  const summaries = settings.map((setting) =>
    summaryOf(
      setting,
      cells.filter((cell) => cell.setting === setting),
    ),
  );
  const order = (a: Unranked, b: Unranked): number =>
    Number(a.failed > 0) - Number(b.failed > 0) ||
    Number(hasDiverged(a)) - Number(hasDiverged(b)) ||
    scoreOf(a) - scoreOf(b);
  return summaries.sort(order).map((summary, i) => ({ ...summary, rank: i + 1 }));
}

type Unranked = Omit<SettingSummary, "rank">;

const scoreOf = ({ score }: Unranked): number => score?.mean ?? Number.MAX_VALUE;

function summaryOf(setting: Setting, cells: readonly Cell[]): Unranked {
  const names = [...new Set(cells.map(({ data }) => data))];
  const perData = names.map((data) =>
    dataSummary(
      data,
      cells.filter((cell) => cell.data === data),
    ),
  );
  const failed = cells.filter(({ metrics }) => metrics === undefined).length;
  return { setting, perData, score: scoreOver(perData), failed };
}

function dataSummary(data: string, cells: readonly Cell[]): DataSummary {
  const done = cells.filter(({ metrics }) => metrics !== undefined);
  const rows = done.flatMap(({ metrics = [] }) => metrics);
  const names = [...new Set(rows.map(({ name }) => name))];
  const bounds = done.flatMap(({ bound }) => bound ?? []);
  return {
    data,
    metrics: new Map(names.map((name) => [name, metricSummary(rows.filter((row) => row.name === name))])),
    bound: bounds.length === 0 ? undefined : meanOf(bounds),
    seeds: done.map(({ seed }) => seed),
    failed: cells.length - done.length,
  };
}

/** The floor itself is a draw, so its mean over seeds stands below every one of them. */
function metricSummary(rows: readonly MetricRow[]): MetricSummary {
  const floor = meanOf(rows.map((row) => row.floor)).mean;
  const values = rows.map(({ value }) => value);
  const ratios = values.map((value) => (floor > 0 ? value / floor : Number.NaN));
  return { label: rows[0]?.label ?? "", value: meanOf(values), floor, ratios, ratio: meanOf(ratios) };
}

/** The geometric mean over data sets for each seed that has all of them, and then over seeds. */
function scoreOver(perData: readonly DataSummary[]): MeanEstimate | undefined {
  const scores = [...seedScores(perData).values()];
  return scores.length === 0 ? undefined : geometricMean(scores);
}

/** The geometric mean over data sets of the W2 ratio, for each seed that has all of them. */
function seedScores(perData: readonly DataSummary[]): Map<number, number> {
  const scores = new Map<number, number>();
  for (const seed of perData[0]?.seeds ?? []) {
    const ratios = perData.map((each) => ratioAt(each, seed));
    if (ratios.every((ratio) => ratio > 0)) scores.set(seed, geometricMean(ratios).mean);
  }
  return scores;
}

/**
 * How many times as far from the data `a` is as `b`: the geometric mean over the seeds that both have, with its standard error.
 * The seeds share data and noise, so this is sharper than the two by themselves.
 */
export function comparedWith(a: SettingSummary, b: SettingSummary): MeanEstimate | undefined {
  const [ofA, ofB] = [seedScores(a.perData), seedScores(b.perData)];
  const factors = [...ofA].flatMap(([seed, score]) => {
    const other = ofB.get(seed);
    return other === undefined ? [] : [score / other];
  });
  return factors.length === 0 ? undefined : geometricMean(factors);
}

/** NaN where the seed failed. */
function ratioAt({ seeds, metrics }: DataSummary, seed: number): number {
  return metrics.get("w2")?.ratios[seeds.indexOf(seed)] ?? Number.NaN;
}

/** The W2 ratio of a setting on one data set, over seeds. */
export function w2Of({ perData }: SettingSummary, data: string): MetricSummary | undefined {
  return perData.find((each) => each.data === data)?.metrics.get("w2");
}

/** A setting within this factor of the best one counts as about as good. */
export const NEAR_BEST = 1.25;

/** Settings without failed runs whose W2 ratio is within `NEAR_BEST` of the best one, best first. */
export function nearBest(summaries: readonly SettingSummary[]): SettingSummary[] {
  const complete = summaries.filter((each) => each.failed === 0 && each.score !== undefined && !hasDiverged(each));
  const sorted = complete.toSorted((a, b) => scoreOf(a) - scoreOf(b));
  const best = sorted[0] ? scoreOf(sorted[0]) : 0;
  return sorted.filter((summary) => scoreOf(summary) <= NEAR_BEST * best);
}

/** Samples this many floors away from the data have nothing to do with them. */
const DIVERGED = 50;

/** Whether samples ran away on some data set, with whatever seed. */
export function hasDiverged({ perData }: Pick<SettingSummary, "perData">): boolean {
  return perData.some(({ metrics }) => metrics.get("w2")?.ratios.some((ratio) => ratio > DIVERGED));
}
