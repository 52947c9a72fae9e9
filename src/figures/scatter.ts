import { frame, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import {
  cloudTally,
  columnOf,
  equalAspect,
  planePoints,
  rangeOf,
  readCloud,
  tallyNotes,
  type Cloud,
  type Domain,
} from "./cloud.ts";
import { classPoints } from "./classes.ts";
import { binsFor, densityDomain, densityMarks, histogram } from "./density.ts";
import { dotMarks } from "./dots.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { shorten } from "./text-layout.ts";
import { colours, figureWidth, fontSizes, maxDots } from "./theme.ts";

/** What `scatterFigure` draws. */
export interface ScatterOptions {
  /** `[n, D]`, data units */
  readonly points: FloatTensor;
  /** Name of each column, with its unit where it has one */
  readonly columns?: readonly string[];
  /** Real data `[m, D]` to compare with, data units */
  readonly reference?: FloatTensor;
  readonly title: string;
  /** What `points` are: generated samples (default) or data */
  readonly kind?: "samples" | "data";
  /** Class of each of the points, `[n]`: each class has a colour of its own */
  readonly labels?: Int32Array;
  /** Name of each class */
  readonly classes?: readonly string[];
}

interface Layer {
  readonly cloud: Cloud;
  readonly colour: string;
  readonly label: string;
}

const MAX_COLUMNS = 5;

/**
 * Draws points against the data they should look like: one column as histograms, two as a scatter plot with equal aspect
 * (unless the ranges differ more than fourfold), more as a matrix of all pairs of the first five columns.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is nothing to draw, the reference has another number of columns or the labels do not fit
 */
export function scatterFigure(options: ScatterOptions): string {
  const layers = layersOf(options);
  const width = layers[0]?.cloud.columns.length ?? 0;
  const names = Array.from({ length: width }, (_, index) => options.columns?.[index] ?? columnName(index, width));
  if (width === 1) return densityFigure(options.title, layers, names[0] ?? "x");
  if (width === 2) return planeFigure(options.title, layers, names);
  return pairsFigure(options.title, layers, names);
}

/** Name of a column that has none: x and y in the plane, x1, x2, … otherwise. */
export function columnName(index: number, width: number): string {
  return width <= 2 ? "xy".charAt(index) : `x${index + 1}`;
}

function layersOf(options: ScatterOptions): Layer[] {
  const shown = shownLayers(options);
  if (options.reference === undefined) return shown;
  const behind = { cloud: readCloud(options.reference, "reference"), colour: colours.data, label: "data" };
  const [expected, got] = [behind.cloud.columns.length, shown[0]?.cloud.columns.length];
  if (expected === got) return [behind, ...shown];
  throw new UnnoiseError("data", `figure: points and reference differ in columns: expected ${expected}, got ${got}`);
}

function shownLayers({ points, kind = "samples", labels, classes }: ScatterOptions): Layer[] {
  const colour = kind === "data" ? colours.data : colours.samples;
  const whole = readCloud(points, "points");
  if (labels === undefined) return [{ cloud: whole, colour, label: kind }];
  return classPoints(points, labels, classes, colour).map((part) => ({
    cloud: readCloud(part.points, part.name),
    colour: part.colour,
    label: part.name,
  }));
}

const legendOf = (layers: readonly Layer[], mark: "dot" | "area"): LegendEntry[] =>
  layers.map(({ label, colour, cloud }) => ({
    label: `${label} (${cloud.count.toLocaleString("en-US")})`,
    colour,
    mark,
  }));

const rangeOfLayers = (layers: readonly Layer[], column: number): Domain =>
  rangeOf(layers.map(({ cloud }) => columnOf(cloud, column)));

function densityFigure(title: string, layers: readonly Layer[], name: string): string {
  const { bars, domain } = densityBars(layers, 0);
  const x: AxisOptions = { domain: rangeOfLayers(layers, 0), label: name };
  const y: AxisOptions = { domain, label: "density" };
  const marks = [...axisMarks(x, y), ...bars];
  const plot = { ...axisMargins(x, y), x: scaleOf(x), y: scaleOf(y), marks };
  const notes = tallyNotes(layers.map((layer) => cloudTally(layer.cloud)));
  const rows = [[{ width: figureWidth, height: 400, plot }]];
  return renderSheet({ title, rows, legend: legendOf(layers, "area"), notes });
}

function densityBars(layers: readonly Layer[], column: number): { bars: Markish[]; domain: Domain } {
  const values = layers.map(({ cloud }) => columnOf(cloud, column));
  const bins = binsFor(Math.min(...values.map(({ length }) => length)));
  const histograms = values.map((each) => histogram(each, rangeOfLayers(layers, column), bins));
  const bars = histograms.flatMap((each, index) => densityMarks(each, layers[index]?.colour ?? colours.ink, 0.3));
  return { bars, domain: densityDomain(histograms) };
}

const PLANE_WIDTH = 640;

function planeFigure(title: string, layers: readonly Layer[], names: readonly string[]): string {
  const margins = axisMargins({ domain: [0, 1], label: "" }, { domain: [0, 1], label: "" });
  const inner = PLANE_WIDTH - margins.marginLeft - margins.marginRight;
  const axes = equalAspect(rangeOfLayers(layers, 0), rangeOfLayers(layers, 1), inner, [240, inner]);
  const drawn = layers.map(({ cloud, colour }) => ({
    ...planePoints(cloud, [0, 1], axes.x, axes.y, maxDots / layers.length),
    colour,
  }));
  const x: AxisOptions = { domain: axes.x, label: names[0] };
  const y: AxisOptions = { domain: axes.y, label: names[1] };
  const height = axes.height + margins.marginTop + margins.marginBottom;
  const plot = { ...margins, x: scaleOf(x), y: scaleOf(y), marks: [...axisMarks(x, y), ...dotMarks(drawn)] };
  const rows = [[{ width: PLANE_WIDTH, height, plot }]];
  const notes = tallyNotes(drawn.map(({ tally }) => tally));
  return renderSheet({ title, rows, legend: legendOf(layers, "dot"), notes, width: PLANE_WIDTH });
}

/** Room (px) for ticks and names left of the matrix. */
const LABELS = 64;

/** Lower triangle of all pairs, with each column's histograms on the diagonal. */
function pairsFigure(title: string, layers: readonly Layer[], names: readonly string[]): string {
  const count = Math.min(MAX_COLUMNS, names.length);
  const limit = maxDots / (layers.length * ((count * (count - 1)) / 2));
  const size = Math.floor((figureWidth - LABELS) / count);
  const rows = Array.from({ length: count }, (_, row) =>
    Array.from({ length: row + 1 }, (_, column) => pairCell(layers, { row, column, count, size, names }, limit)),
  );
  const notes = [...pairsNotes(names, count), ...tallyNotes(layers.map((layer) => cloudTally(layer.cloud, limit)))];
  return renderSheet({ title, rows, legend: legendOf(layers, "dot"), notes, gap: 0 });
}

function pairsNotes(names: readonly string[], count: number): string[] {
  const shown = "On the diagonal: density of each column.";
  if (names.length === count) return [shown];
  return [`${shown} Shown: the first ${count} of ${names.length} columns (${names.slice(0, count).join(", ")}).`];
}

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly count: number;
  readonly size: number;
  readonly names: readonly string[];
}

/** One cell of the matrix: only the first column and the last row carry ticks and names. */
function pairCell(layers: readonly Layer[], cell: Cell, limit: number): Panel {
  const { row, column, count, size, names } = cell;
  const [first, last, diagonal] = [column === 0, row === count - 1, row === column];
  const name = (index: number): string => shorten(names[index] ?? "", size - 8, fontSizes.tick);
  const domains = [rangeOfLayers(layers, column), rangeOfLayers(layers, row)] as const;
  const { bars, domain } = diagonal ? densityBars(layers, column) : { bars: undefined, domain: domains[1] };
  const x = { domain: domains[0], ticks: last, label: name(column), spacing: 50, keepOffEdges: true };
  const y = { domain, ticks: first && !diagonal, label: name(row), spacing: 35 };
  const shown = bars ?? pairDots(layers, [column, row], domains, limit);
  const margins = { marginTop: 5, marginRight: 5, marginBottom: last ? 42 : 5, marginLeft: first ? LABELS + 5 : 5 };
  const marks = [...axisMarks(x, y), frame({ stroke: colours.grid }), ...shown];
  const plot = { ...margins, x: scaleOf(x), y: scaleOf(y), marks };
  return { width: size + (first ? LABELS : 0), height: size + (last ? 37 : 0), plot };
}

function pairDots(
  layers: readonly Layer[],
  axes: readonly [number, number],
  [x, y]: readonly [Domain, Domain],
  limit: number,
): Markish[] {
  return dotMarks(
    layers.map(({ cloud, colour }) => ({ ...planePoints(cloud, axes, x, y, limit), colour })),
    0.75,
  );
}
