import { areaY, dot, line, ruleX, ruleY, type Markish } from "@observablehq/plot";
import { chartAxis, fitDomain, positionOf, tickWidth, xMarks, yMarks, type AxisChoice } from "./chart-axes.ts";
import { curveVertices, lonePoints, stretches, thinnedSeries, visiblePoints, type ChartPlane } from "./chart-points.ts";
import type { ChartReference, ChartSeries, LineStyle } from "./chart-series.ts";
import type { Domain } from "./cloud.ts";
import type { Panel } from "./sheet.ts";
import { colours } from "./theme.ts";

/** One plot of a chart. */
export interface ChartPanel {
  readonly title?: string;
  readonly x: AxisChoice;
  readonly y: AxisChoice;
  readonly series: readonly ChartSeries[];
  readonly references?: readonly ChartReference[];
}

/** Size of a panel in px, and the margin left of its plot. */
export interface PanelSize {
  readonly width: number;
  readonly height: number;
  readonly marginLeft: number;
}

/** How labels are drawn. */
export interface ChartStyles {
  readonly series: ReadonlyMap<string, LineStyle>;
  readonly references: ReadonlyMap<string, LineStyle>;
}

const MARGINS = { marginTop: 8, marginRight: 24, marginBottom: 44 } as const;

/** Most points that are marked each by a dot where nothing else is said. */
const MOST_DOTS = 30;
/** Most points with error bars of their own. */
const MOST_BARS = 60;

const isMarked = ({ x, dots = x.length <= MOST_DOTS }: ChartSeries): boolean => dots;

/** The axes of a panel of that size: as given, or as its values need them. */
export function planeOf({ x, y, series, references = [] }: ChartPanel, width: number, height: number): ChartPlane {
  const finite = (axis: "x" | "y"): number[] => [
    ...series.flatMap((each) => Array.from(each[axis])),
    ...references.flatMap((each) => each[axis] ?? []),
  ];
  const around = series.flatMap(({ y: values, error, band }) => [
    ...Array.from(error ?? [], (half, i) => (values[i] ?? 0) - half),
    ...Array.from(error ?? [], (half, i) => (values[i] ?? 0) + half),
    ...Array.from(band?.low ?? []),
    ...Array.from(band?.high ?? []),
  ]);
  return {
    x: chartAxis(x, fitDomain(finite("x"), [], x.log === true, series.some(isMarked) ? 0.05 : 0), width / 65),
    y: chartAxis(y, fitDomain(finite("y"), around, y.log === true), height / 40),
  };
}

/** Left margin (px) that the axis of these planes needs. */
export function marginFor(planes: readonly ChartPlane[]): number {
  return Math.ceil(Math.max(18, ...planes.map(({ y }) => tickWidth(y)))) + 32;
}

/** Draws one panel. */
export function chartPanel(panel: ChartPanel, plane: ChartPlane, styles: ChartStyles, size: PanelSize): Panel {
  const { width, height, marginLeft } = size;
  const [length, depth] = [width - marginLeft - MARGINS.marginRight, height - MARGINS.marginTop - MARGINS.marginBottom];
  const curves = panel.series.map((series) => [thinnedSeries(series), styleIn(styles.series, series.label)] as const);
  const marks: Markish[] = [
    ...xMarks(plane.x, length),
    ...yMarks(plane.y, depth, marginLeft),
    ...(panel.references ?? []).flatMap((each) => referenceMarks(each, plane, styleIn(styles.references, each.label))),
    ...curves.flatMap(([series, style]) => bandMarks(series, plane, style)),
    ...curves.flatMap(([series, style]) => barMarks(series, plane, style)),
    ...curves.flatMap(([series, style]) => curveMarks(series, plane, style)),
  ];
  const scales = { x: scaleOf(plane.x), y: scaleOf(plane.y) };
  const title = panel.title === undefined ? {} : { title: panel.title };
  return { width, height, ...title, plot: { ...MARGINS, marginLeft, ...scales, marks } };
}

const scaleOf = ({ domain, log }: { domain: Domain; log: boolean }) =>
  ({ domain, axis: null, type: log ? "log" : "linear" }) as const;

function styleIn(styles: ReadonlyMap<string, LineStyle>, label: string): LineStyle {
  return styles.get(label) ?? { colour: colours.ink, dash: "" };
}

function referenceMarks({ x, y }: ChartReference, plane: ChartPlane, { colour, dash }: LineStyle): Markish[] {
  const style = { stroke: colour, strokeWidth: 1.75, strokeDasharray: dash === "" ? "none" : dash };
  const position = x === undefined ? positionOf(plane.y, y ?? 0) : positionOf(plane.x, x);
  if (position < 0 || position > 1) return [];
  return x === undefined ? [ruleY([y ?? 0], style)] : [ruleX([x], style)];
}

function bandMarks({ x, y, error, band }: ChartSeries, plane: ChartPlane, { colour }: LineStyle): Markish[] {
  const [sum, difference] = [1, -1].map((sign) => Array.from(y, (value, i) => value + sign * (error?.[i] ?? 0)));
  const bars = error !== undefined && x.length > MOST_BARS ? { low: difference ?? [], high: sum ?? [] } : undefined;
  return [band, bars].flatMap((edges): Markish[] => {
    if (edges === undefined) return [];
    const slices = stretches(x, edges.low, edges.high, plane);
    return [areaY(slices, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.18 })];
  });
}

/** Half the width of the caps of error bars in px. */
const CAP = 3;

function barMarks({ x, y, error }: ChartSeries, plane: ChartPlane, { colour }: LineStyle): Markish[] {
  if (error === undefined || x.length > MOST_BARS) return [];
  const ends = [-1, 1].map((sign) => Array.from(y, (value, i) => value + sign * (error[i] ?? 0)));
  const bars = stretches(x, ends[0] ?? [], ends[1] ?? [], plane).filter(({ low, high }) => low < high);
  const style = { stroke: colour, strokeWidth: 1.25, strokeOpacity: 0.8 };
  const caps = { ...style, x1: "x", x2: "x", insetLeft: -CAP, insetRight: -CAP };
  const lows = bars.filter(({ lowCut }) => !lowCut);
  const highs = bars.filter(({ highCut }) => !highCut);
  return [
    ruleX(bars, { ...style, x: "x", y1: "low", y2: "high" }),
    ruleY(lows, { ...caps, y: "low" }),
    ruleY(highs, { ...caps, y: "high" }),
  ];
}

function curveMarks(series: ChartSeries, plane: ChartPlane, { colour, dash }: LineStyle): Markish[] {
  const style = { stroke: colour, strokeWidth: 2, strokeDasharray: dash === "" ? "none" : dash };
  const curve = line(curveVertices(series, plane), { x: "x", y: "y", z: "run", ...style });
  const marked = isMarked(series) ? visiblePoints(series, plane) : lonePoints(series, plane);
  return [curve, dot(marked, { x: "x", y: "y", r: 3.2, fill: colour, stroke: colours.background, strokeWidth: 0.75 })];
}
