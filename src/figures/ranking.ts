import { shown } from "../math/shown.ts";
import { dot, ruleX, ruleY, text, type Markish } from "@observablehq/plot";
import { formatPower } from "./axes.ts";
import { chartAxis, fitDomain, positionOf, topMarks, xMarks, type AxisChoice, type ChartAxis } from "./chart-axes.ts";
import { leftOut, sentences } from "./chart-notes.ts";
import { checkAxis, checkReference, refuse, seriesStyles, type LineStyle } from "./chart-series.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { shorten, textWidth } from "./text-layout.ts";
import { colours, figureWidth, fontSizes } from "./theme.ts";

/** One line of a ranking. */
export interface RankingRow {
  readonly label: string;
  readonly value: number;
  /** Half-length of the error bar, ≥ 0 */
  readonly error?: number;
  /** What the value sums up, e.g. single seeds */
  readonly values?: ArrayLike<number>;
  /** Rows of one group share a colour. */
  readonly group?: string;
  /** Colour of the row's group; default: the next free one of the palette */
  readonly colour?: string;
}

/** What `rankingFigure` draws. */
export interface RankingOptions {
  readonly title: string;
  readonly x: AxisChoice;
  /** From top to bottom */
  readonly rows: readonly RankingRow[];
  readonly reference?: { readonly value: number; readonly label: string };
  /** Lines below the figure */
  readonly notes?: readonly string[];
  /** What error bars mean, e.g. "bars: standard error over 5 seeds" */
  readonly errorBars?: string;
}

const ROW = 20;
const LARGEST_LEFT = 300;
const MARGIN_BOTTOM = 44;
/** Rows above which the axis stands at the top too. */
const TALL = 25;

/**
 * Draws a value for each row as a dot on one axis, in the given order, with error bars, its label on the left and the number on
 * the right. What the axis does not show is cut off at it; an arrow stands for a value beyond it.
 * @returns SVG markup
 * @throws UnnoiseError `data` for no row, a negative error, and a domain, ticks or reference that the axis cannot show
 */
export function rankingFigure(options: RankingOptions): string {
  const { title, x, rows, reference, notes = [], errorBars } = options;
  checkRanking(options);
  const styles = seriesStyles(rows.map(groupOf));
  const axis = axisOf(x, rows, reference?.value);
  const line: LegendEntry[] = reference ? [{ label: reference.label, colour: colours.data, mark: "line" }] : [];
  const seeds = rows.some(({ values }) => values !== undefined) ? ["Faint dots: the single values."] : [];
  return renderSheet({
    title,
    rows: [[rankingPanel(rows, axis, styles, reference?.value)]],
    legend: [...groupLegend(styles), ...line],
    notes: [...sentences(errorBars), ...seeds, ...notes, ...omissionNotes(rows, axis)],
  });
}

function groupOf({ group = "", colour = group === "" ? colours.samples : undefined }: RankingRow) {
  return { label: group, ...(colour === undefined ? {} : { colour }) };
}

function checkRanking({ x, rows, reference }: RankingOptions): void {
  if (rows.length === 0) refuse("ranking figure: expected at least one row, got none");
  checkAxis(x, "ranking figure, x axis");
  if (reference)
    checkReference({ label: reference.label, x: reference.value }, x.log === true, false, "ranking figure");
  const wrong = rows.find(({ error = 0 }) => error < 0);
  if (wrong) refuse(`ranking figure: row ${shown(wrong.label)}: expected an error ≥ 0, got ${wrong.error ?? 0}`);
}

function axisOf(x: AxisChoice, rows: readonly RankingRow[], reference: number | undefined): ChartAxis {
  const values = [...rows.map(({ value }) => value), ...(reference === undefined ? [] : [reference])];
  const around = rows.flatMap(({ value, error = 0, values: single = [] }) => [
    value - error,
    value + error,
    ...Array.from(single),
  ]);
  return chartAxis(x, fitDomain(values, around, x.log === true), 6);
}

/** One entry for each group; a style without dashes, since dots have none. */
function groupLegend(styles: ReadonlyMap<string, LineStyle>): LegendEntry[] {
  const named = [...styles].filter(([label]) => label !== "");
  return named.map(([label, { colour }]) => ({ label: shorten(label, 330, fontSizes.text), colour, mark: "dot" }));
}

function omissionNotes(rows: readonly RankingRow[], axis: ChartAxis): string[] {
  const all = rows.flatMap(({ value, values = [] }) => [value, ...Array.from(values)]);
  const places = all.filter(Number.isFinite).map((value) => placeOf(axis, value));
  const notPositive = places.filter(Number.isNaN).length;
  const inside = places.filter(isWithin).length;
  return leftOut({ notFinite: all.length - places.length, notPositive, outside: places.length - notPositive - inside });
}

/** Position on the axis, NaN for what it can never show. */
function placeOf(axis: ChartAxis, value: number): number {
  return Number.isFinite(value) && (!axis.log || value > 0) ? positionOf(axis, value) : Number.NaN;
}

const isWithin = (place: number): boolean => place >= 0 && place <= 1;

function rankingPanel(
  rows: readonly RankingRow[],
  axis: ChartAxis,
  styles: ReadonlyMap<string, LineStyle>,
  reference: number | undefined,
): Panel {
  const numbers = rows.map(({ value, error }) => formatMeasured(value, error));
  const widest = (texts: readonly string[], size: number): number =>
    Math.max(...texts.map((each) => textWidth(each, size)));
  const labels = rows.map(({ label }) => shorten(label, LARGEST_LEFT - 20, fontSizes.text));
  const margins = {
    marginTop: rows.length > TALL ? 24 : 6,
    marginRight: Math.ceil(widest(numbers, fontSizes.tick)) + 28,
    marginBottom: MARGIN_BOTTOM,
    marginLeft: Math.ceil(Math.max(90, widest(labels, fontSizes.text) + 20)),
  };
  const length = figureWidth - margins.marginLeft - margins.marginRight;
  const marks = [
    ...xMarks(axis, length),
    ...(rows.length > TALL ? topMarks(axis, length) : []),
    ruleY(rows.keys(), { y: (row: number) => row, stroke: colours.grid }),
    ...(reference === undefined || !isWithin(placeOf(axis, reference)) ? [] : [ruleX([reference], REFERENCE)]),
    ...rowMarks(rows, axis, styles),
    ...textMarks(axis, labels, numbers),
  ];
  const x = { domain: axis.domain, axis: null, type: axis.log ? "log" : "linear" } as const;
  const plot = { ...margins, x, y: { domain: [rows.length - 0.5, -0.5], axis: null }, marks };
  return { width: figureWidth, height: margins.marginTop + ROW * rows.length + MARGIN_BOTTOM, plot };
}

const REFERENCE = { stroke: colours.data, strokeWidth: 2 } as const;

function textMarks(axis: ChartAxis, labels: readonly string[], numbers: readonly string[]): Markish[] {
  const common = { y: (_: string, row: number) => row, text: (each: string) => each } as const;
  const left = { ...common, x: () => axis.domain[0], dx: -12, textAnchor: "end", fontSize: fontSizes.text } as const;
  const right = { ...common, x: () => axis.domain[1], dx: 18, textAnchor: "start", fontSize: fontSizes.tick } as const;
  return [text(labels, left), text(numbers, right)];
}

function rowMarks(rows: readonly RankingRow[], axis: ChartAxis, styles: ReadonlyMap<string, LineStyle>): Markish[] {
  const placed = rows.map((each, row) => {
    const place = placeOf(axis, each.value);
    return { ...each, row, place, colour: styles.get(each.group ?? "")?.colour ?? colours.ink };
  });
  const single = placed.flatMap(({ values = [], row, colour }) =>
    Array.from(values, (value) => ({ value, row, colour })).filter(({ value }) => isWithin(placeOf(axis, value))),
  );
  const shown = placed.filter(({ place }) => isWithin(place));
  const beyond = placed.filter(({ place }) => place < 0 || place > 1);
  const dots = (data: readonly { readonly colour: string }[]) => ({ x: "value", y: "row", fill: coloursOf(data) });
  return [
    dot(single, { ...dots(single), r: 2.5, fillOpacity: 0.4, stroke: "none" }),
    ...barMarks(placed, axis),
    dot(shown, { ...dots(shown), r: 4.5, stroke: colours.background, strokeWidth: 0.75 }),
    text(beyond, {
      ...dots(beyond),
      x: ({ place }: { place: number }) => axis.domain[place < 0 ? 0 : 1],
      text: ({ place }: { place: number }) => (place < 0 ? "◀" : "▶"),
      fontSize: fontSizes.text,
    }),
  ];
}

const coloursOf = (data: readonly { readonly colour: string }[]) =>
  ({ value: data.map(({ colour }) => colour), scale: null }) as const;

interface PlacedRow extends RankingRow {
  readonly row: number;
  readonly colour: string;
}

function barMarks(rows: readonly PlacedRow[], { domain: [least, most] }: ChartAxis): Markish[] {
  const bars = rows.flatMap(({ value, error = 0, row, colour }) => {
    const [low, high] = [Math.max(value - error, least), Math.min(value + error, most)];
    const bar = { low, high, row, colour, lowCut: value - error < least, highCut: value + error > most };
    return low < high ? [bar] : [];
  });
  const caps = [
    ...bars.filter(({ lowCut }) => !lowCut).map(({ low, row, colour }) => ({ end: low, row, colour })),
    ...bars.filter(({ highCut }) => !highCut).map(({ high, row, colour }) => ({ end: high, row, colour })),
  ];
  const style = { strokeWidth: 1.5 };
  return [
    ruleY(bars, { ...style, y: "row", x1: "low", x2: "high", stroke: coloursOf(bars) }),
    ruleX(caps, {
      ...style,
      x: "end",
      y1: "row",
      y2: "row",
      insetTop: -3.5,
      insetBottom: -3.5,
      stroke: coloursOf(caps),
    }),
  ];
}

/** A value to three digits, and its error to as many decimals; a common power of ten where plain decimals would be long. */
function formatMeasured(value: number, error?: number): string {
  if (!Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return formatPlain(value, error);
  const unit = Number(`1e${Math.floor(Math.log10(size))}`);
  const scaled = formatPlain(value / unit, error === undefined ? undefined : error / unit);
  return `${scaled.includes("±") ? `(${scaled})` : scaled}×${formatPower(unit)}`;
}

/** Takes more decimals where the error would be 0. */
function formatPlain(value: number, error?: number): string {
  const size = Math.abs(value);
  const digits = (of: number): number => -Math.floor(Math.log10(of));
  const decimals = Math.max(0, size > 0 ? digits(size) + 2 : 2);
  if (error === undefined || !Number.isFinite(error)) return value.toFixed(decimals).replace("-", "−");
  const places = Math.min(6, error > 0 ? Math.max(decimals, digits(error)) : decimals);
  return `${value.toFixed(places)} ± ${error.toFixed(places)}`.replace("-", "−");
}
