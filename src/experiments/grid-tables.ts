import type { MeanEstimate } from "../math/running-mean.ts";
import type { MetricName } from "../metrics/evaluate.ts";
import type { Cell, DataSummary, SettingSummary } from "./grid-results.ts";
import type { GridStudy } from "./grid.ts";
import type { Json } from "./job.ts";
import type { Table } from "./study.ts";

type TableCell = string | number | null;

/** A number for a table or JSON, which hold no NaN. */
export function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

const metricNames: readonly MetricName[] = ["w2", "slicedW2", "mmd", "energy", "coverage"];
const pair = (estimate: MeanEstimate | undefined): (number | null)[] => [
  finiteOrNull(estimate?.mean),
  finiteOrNull(estimate?.standardError),
];

/** Data sets of a study, in their order. */
export function dataOf(summaries: readonly SettingSummary[]): string[] {
  return (summaries[0]?.perData ?? []).map(({ data }) => data);
}

/** Settings, best first, with what they reach over all data sets and on each. */
export function rankedTable(summaries: readonly SettingSummary[]): Table {
  const names = dataOf(summaries);
  return {
    name: "ranking",
    header: ["rank", "setting", "W2/floor", "± s.e.", ...names.map((name) => `${name} W2/floor`), "failed runs"],
    rows: summaries.map(({ rank, setting, score, perData, failed }) => [
      rank,
      setting.label,
      ...pair(score),
      ...perData.map(({ metrics }) => finiteOrNull(metrics.get("w2")?.ratio.mean)),
      failed,
    ]),
  };
}

/** Every metric of every setting on one data set as a ratio to its floor, and the bound. */
export function ratioTable(summaries: readonly SettingSummary[], data: string): Table {
  const heads = metricNames.flatMap((name) => [`${labelOf(summaries, name)}/floor`, "± s.e."]);
  return {
    name: `${data}-metrics`,
    header: ["setting", ...heads, "bound (nats a point)", "± s.e."],
    rows: rowsOn(summaries, data, ({ metrics, bound }) => [
      ...metricNames.flatMap((name) => pair(metrics.get(name)?.ratio)),
      ...pair(bound),
    ]),
    folded: `${data}: all metrics, each divided by what fresh data reach against fresh data`,
  };
}

/** Distance and bound of every setting on one data set, as the study lists them. */
export function boundTable(summaries: readonly SettingSummary[], data: string): Table {
  return {
    name: `${data}-bound`,
    header: [`${data}: setting`, "W2/floor", "± s.e.", "bound (nats a point)", "± s.e."],
    rows: rowsOn(summaries, data, ({ metrics, bound }) => [...pair(metrics.get("w2")?.ratio), ...pair(bound)]),
  };
}

/** Every metric of every setting on one data set as it was measured, beside its floor. */
export function valueTable(summaries: readonly SettingSummary[], data: string): Table {
  const heads = metricNames.flatMap((name) => [labelOf(summaries, name), "± s.e.", "floor"]);
  return {
    name: `${data}-values`,
    header: ["setting", ...heads],
    rows: rowsOn(summaries, data, ({ metrics }) =>
      metricNames.flatMap((name) => [...pair(metrics.get(name)?.value), finiteOrNull(metrics.get(name)?.floor)]),
    ),
    folded: `${data}: the same metrics as measured, in standardised units`,
  };
}

/** Everything that was measured, a row for each run. */
export function runsTable(cells: readonly Cell[]): Table {
  return {
    name: "runs",
    header: [
      "data",
      "setting",
      "seed",
      "sampling steps",
      ...metricNames.flatMap((name) => [name, `${name} floor`]),
      "bound",
    ],
    rows: cells.map(({ data, setting, seed, steps, metrics, bound }) => [
      data,
      setting.label,
      seed,
      steps ?? null,
      ...metricNames.flatMap((name): TableCell[] => {
        const row = metrics?.find((each) => each.name === name);
        return [finiteOrNull(row?.value), finiteOrNull(row?.floor)];
      }),
      finiteOrNull(bound),
    ]),
    folded: `every single run (${cells.length})`,
  };
}

/** Everything that was measured as JSON. */
export function gridNumbers(
  { sizes }: Pick<GridStudy, "sizes">,
  cells: readonly Cell[],
  summaries: readonly SettingSummary[],
): Readonly<Record<string, Json>> {
  return {
    points: sizes.points,
    runs: cells.map(({ data, setting, seed, steps, metrics, bound }) => ({
      data,
      setting: setting.label,
      seed,
      steps: steps ?? null,
      bound: finiteOrNull(bound),
      metrics: Object.fromEntries((metrics ?? []).map(({ name, value, floor }) => [name, { value, floor }])),
    })),
    ranking: summaries.map(({ rank, setting, score, failed }) => ({
      rank,
      setting: setting.label,
      training: setting.training as Json,
      sampling: setting.sampling as Json,
      w2Ratio: finiteOrNull(score?.mean),
      standardError: finiteOrNull(score?.standardError),
      failed,
    })),
  };
}

function labelOf(summaries: readonly SettingSummary[], name: MetricName): string {
  const found = summaries.flatMap(({ perData }) => perData.flatMap(({ metrics }) => metrics.get(name)?.label ?? []));
  return found[0] ?? name;
}

function rowsOn(
  summaries: readonly SettingSummary[],
  data: string,
  cells: (summary: DataSummary) => TableCell[],
): TableCell[][] {
  return summaries.flatMap(({ setting, perData }) =>
    perData.filter((each) => each.data === data).map((each) => [setting.label, ...cells(each)]),
  );
}
