import { chartFigure } from "../figures/chart.ts";
import type { ChartSeries } from "../figures/chart-series.ts";
import { colourOf, type ColourKind } from "../figures/colour-of.ts";
import { rankingFigure, type RankingRow } from "../figures/ranking.ts";
import { at } from "../math/error.ts";
import { geometricMean } from "../math/geometric-mean.ts";
import { counted } from "../math/text.ts";
import { curveOf, numericAxes, optionOf, type GridAxis, type GridStudy, type Setting } from "./grid.ts";
import { w2Of, type SettingSummary } from "./grid-results.ts";
import { dataOf } from "./grid-tables.ts";
import type { Figure } from "./study.ts";

type Look = Pick<GridStudy, "colours" | "settings">;

/** Ratios that span more than this need a logarithmic axis. */
const LOG_RATIO = 5;
/** Numbers on an axis that span more than this do, too. */
const LOG_OPTION = 20;
/** More curves than this cannot be told apart. */
const MOST_CURVES = 10;

/** What error bars of these studies are. */
function errorBarsOver(seeds: number): { readonly errorBars?: string } {
  return seeds < 2 ? {} : { errorBars: `bars: standard error over ${counted(seeds, "seed")}` };
}

/** Ranking of all settings on one data set, best first as in the table. */
export function rankingOn(summaries: readonly SettingSummary[], data: string, { colours }: Look): Figure | undefined {
  const rows = summaries.flatMap((summary): RankingRow[] => {
    const found = w2Of(summary, data);
    if (!found || !Number.isFinite(found.ratio.mean)) return [];
    const { label, group } = summary.setting;
    return [
      {
        label,
        value: found.ratio.mean,
        ...(found.ratios.length > 1 && { error: found.ratio.standardError, values: found.ratios }),
        ...(group !== undefined && { group, ...(colours && { colour: colourOf(colours, namedIn(group)) }) }),
      },
    ];
  });
  if (rows.length === 0) return undefined;
  const seeds = Math.max(...rows.map(({ values }) => values?.length ?? 1));
  return {
    name: `${data}-ranking`,
    caption: `Distance between samples and data on ${data}: W2 divided by its floor, the W2 of fresh data against fresh data. The blue line at 1 is what fresh data reach on average, so less than that is chance; the farther right, the worse. The order is that over all data sets.`,
    svg: rankingFigure({
      title: `${data}: distance to the data`,
      x: {
        label: "W2 / floor",
        log: spans(
          rows.map(({ value }) => value),
          LOG_RATIO,
        ),
      },
      rows,
      reference: { value: 1, label: "fresh data" },
      ...errorBarsOver(seeds),
    }),
  };
}

/** A chart for each option with numbers: distance against it, a panel for each data set. */
export function axisCharts(summaries: readonly SettingSummary[], look: Look): Figure[] {
  return numericAxes(look.settings).flatMap((axis) => axisChart(summaries, axis, look) ?? []);
}

/** Distance to the data against one option. */
function axisChart(summaries: readonly SettingSummary[], axis: GridAxis, look: Look): Figure | undefined {
  const labels = new Set(look.settings.map((setting) => curveOf(setting, look.settings, axis)));
  const isMany = labels.size > MOST_CURVES;
  return ratioChart(summaries, {
    name: `w2-against-${axis.option.replace(/^\w+\./, "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    label: axis.label,
    x: (setting) => numberOf(optionOf(setting, axis.option)),
    curve: (setting) => (isMany ? "mean over all else (geometric)" : curveOf(setting, look.settings, axis)),
    settings: look.settings,
    ...(look.colours && !isMany && { colours: look.colours }),
  });
}

const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** What stands on the horizontal axis of a chart of distances, and which settings form a curve. */
export interface RatioChart {
  readonly name: string;
  /** Of the axis. */
  readonly label: string;
  /** Undefined for settings that are not shown. */
  readonly x: (setting: Setting) => number | undefined;
  readonly curve: (setting: Setting) => string;
  /** In the order in which they take colours. */
  readonly settings: readonly Setting[];
  readonly colours?: ColourKind;
  readonly title?: string;
  readonly caption?: string;
}

/** Distance to the data against a number, a panel for each data set; undefined where there is nothing to show. */
export function ratioChart(summaries: readonly SettingSummary[], chart: RatioChart): Figure | undefined {
  const { label } = chart;
  const all = dataOf(summaries).map((data) => ({ data, curves: curvesOn(summaries, data, chart) }));
  const shown = all.filter(({ curves }) => curves.length > 0);
  if (shown.length === 0) return undefined;
  const valuesOf = (key: "x" | "y"): number[] =>
    shown.flatMap(({ curves }) => curves.flatMap((curve) => Array.from(curve[key])));
  const log = { x: spans(valuesOf("x"), LOG_OPTION), y: spans(valuesOf("y"), LOG_RATIO) };
  const ticks = [...new Set(valuesOf("x"))].sort((a, b) => a - b);
  const caption = `W2 divided by its floor against ${label}: lower is better, and the line at 1 is what fresh data reach against fresh data.`;
  return {
    name: chart.name,
    caption: chart.caption ?? caption,
    svg: chartFigure({
      title: chart.title ?? `Distance to the data against ${label}`,
      panels: shown.map(({ data, curves }) => ({
        title: data,
        x: { label, log: log.x, ...(ticks.length <= MOST_TICKS && { ticks }) },
        y: { label: "W2 / floor", log: log.y },
        series: curves,
        references: [{ label: "fresh data", y: 1 }],
      })),
      ...errorBarsOver(mostSeeds(summaries)),
    }),
  };
}

const MOST_TICKS = 8;

function mostSeeds(summaries: readonly SettingSummary[]): number {
  return Math.max(1, ...summaries.flatMap(({ perData }) => perData.map(({ seeds }) => seeds.length)));
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly error: number;
  /** One for each seed. */
  readonly values: readonly number[];
}

function curvesOn(summaries: readonly SettingSummary[], data: string, chart: RatioChart): ChartSeries[] {
  const curves = new Map<string, Point[]>();
  for (const summary of inOrder(summaries, chart)) {
    const x = chart.x(summary.setting);
    const found = w2Of(summary, data)?.ratio;
    if (x === undefined || !found || !(found.mean > 0)) continue;
    const label = chart.curve(summary.setting);
    const error = Number.isFinite(found.standardError) ? found.standardError : 0;
    const values = w2Of(summary, data)?.ratios ?? [];
    curves.set(label, [...(curves.get(label) ?? []), { x, y: found.mean, error, values }]);
  }
  return [...curves].map(([label, points]) => ({
    ...seriesOf(label, points),
    ...(chart.colours && { colour: colourOf(chart.colours, namedIn(label)) }),
    ...(namedIn(label) !== label && { dashed: true }),
  }));
}

/** What has a colour in a label: "cosine schedule: DDPM" is DDPM in other circumstances, drawn in its colour with dashes. */
const namedIn = (label: string): string => label.slice(label.lastIndexOf(": ") + 1).trim();

/** As the study lists its settings, so that colours do not depend on the ranking. */
function inOrder(summaries: readonly SettingSummary[], { settings }: Pick<RatioChart, "settings">): SettingSummary[] {
  return summaries.toSorted((a, b) => settings.indexOf(a.setting) - settings.indexOf(b.setting));
}

/** Points in order; several at one place become their geometric mean, with its standard error over seeds. */
function seriesOf(label: string, points: readonly Point[]): ChartSeries {
  const places = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const merged = places.map((place): Point => {
    const here = points.filter(({ x }) => x === place);
    if (here.length === 1) return at(here, 0);
    const mean = geometricMean(here.map(({ y }) => y)).mean;
    return { x: place, y: mean, error: errorOverSeeds(here), values: [] };
  });
  const of = (key: "x" | "y" | "error"): number[] => merged.map((point) => point[key]);
  return { label, x: of("x"), y: of("y"), error: of("error") };
}

/** Standard error of a geometric mean over settings that share their seeds; 0 where seeds are missing. */
function errorOverSeeds(points: readonly Point[]): number {
  const seeds = points[0]?.values.length ?? 0;
  if (seeds < 2 || points.some(({ values }) => values.length !== seeds)) return 0;
  const means = Array.from(
    { length: seeds },
    (_, seed) => geometricMean(points.map(({ values }) => at(values, seed))).mean,
  );
  return geometricMean(means).standardError;
}

function spans(values: readonly number[], factor: number): boolean {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low > 0 && high / low > factor;
}
