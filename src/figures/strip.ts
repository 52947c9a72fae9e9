import { short } from "../math/short.ts";
import { frame, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { axisMargins, axisMarks, formatPower, scaleOf, type AxisOptions } from "./axes.ts";
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
  type PlanePoints,
  type Tally,
} from "./cloud.ts";
import { binsFor, densityDomain, densityMarks, histogram, type Histogram } from "./density.ts";
import { dotMarks } from "./dots.ts";
import type { LegendEntry } from "./legend.ts";
import { columnName } from "./scatter.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { colours, figureWidth, maxDots, mixColours } from "./theme.ts";

/** The points at one time of the process. */
export interface StripPanel {
  /** Heading, e.g. "t = 250" */
  readonly label: string;
  /** x_t `[n, D]`, data units */
  readonly points: FloatTensor;
  /** ᾱ_t in [0, 1]; sets the share of noise in the colour, and forward strips print it */
  readonly alphaCumprod?: number;
}

/** What `stripFigure` draws. */
export interface StripOptions {
  /** In reading order */
  readonly panels: readonly StripPanel[];
  /** `forward`: data to noise; `reverse`: noise to samples */
  readonly direction: "forward" | "reverse";
  readonly title: string;
  /** Name of each column, with its unit where it has one */
  readonly columns?: readonly string[];
}

/**
 * Draws x_t at chosen times as small multiples with shared axes; colours go from data (or samples) to noise. One column
 * gives histograms, more than two show the first two.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is no panel, a panel is empty, or panels differ in columns
 */
export function stripFigure(options: StripOptions): string {
  const panels = stripClouds(options.panels, options.direction);
  const width = panels[0]?.cloud.columns.length ?? 0;
  const frameOf = width === 1 ? densityFrame : planeFrame;
  const columns = Math.ceil(panels.length / Math.ceil(panels.length / 4));
  const inner = (figureWidth - 76 - 18 * columns) / columns;
  const placed = frameOf(panels, inner, columnNames(options.columns, width), maxDots / panels.length);
  const made = panels.map((panel, index) => placed.panel(panel, panelPlace(index, panels.length, columns)));
  const rows = Array.from({ length: Math.ceil(made.length / columns) }, (_, row) =>
    made.slice(row * columns, (row + 1) * columns),
  );
  const legend = stripLegend(options.direction, width === 1 ? "area" : "dot");
  return renderSheet({
    title: options.title,
    rows,
    legend,
    notes: [...placed.notes, ...tallyNotes(placed.tallies)],
    gap: 0,
  });
}

/** A panel with its cloud and colour. */
export interface CloudPanel {
  readonly label: string;
  readonly cloud: Cloud;
  readonly colour: string;
}

/** Reads panels and colours them by their share of noise √(1−ᾱ_t), or by their place where ᾱ_t is not given. */
export function stripClouds(panels: readonly StripPanel[], direction: "forward" | "reverse"): CloudPanel[] {
  if (panels.length === 0) throw new UnnoiseError("data", "strip: expected at least one panel, got none");
  const pure = direction === "forward" ? colours.data : colours.samples;
  const read = panels.map(({ label, points, alphaCumprod }, index) => {
    const place = panels.length === 1 ? 0 : index / (panels.length - 1);
    const noise =
      alphaCumprod === undefined ? (direction === "forward" ? place : 1 - place) : Math.sqrt(1 - alphaCumprod);
    const shown = direction === "forward" && alphaCumprod !== undefined ? `, ᾱ = ${significant(alphaCumprod)}` : "";
    return { label: label + shown, cloud: readCloud(points, label), colour: mixColours(pure, colours.noise, noise) };
  });
  const widths = new Set(read.map(({ cloud }) => cloud.columns.length));
  if (widths.size === 1) return read;
  throw new UnnoiseError(
    "data",
    `strip: panels differ in columns: expected one width, got ${[...widths].join(" and ")}`,
  );
}

const significant = (value: number): string =>
  value < 1e-3 ? formatPower(Number(value.toPrecision(3))) : short(value);

function stripLegend(direction: "forward" | "reverse", mark: "dot" | "area"): LegendEntry[] {
  const noise: LegendEntry = { label: "noise", colour: colours.noise, mark };
  if (direction === "forward") return [{ label: "data", colour: colours.data, mark }, noise];
  return [noise, { label: "samples", colour: colours.samples, mark }];
}

/** Names of the columns that a plot in the plane shows; beyond two columns they say which ones. */
export function columnNames(names: readonly string[] | undefined, width: number): [string, string] {
  const name = (index: number): string => names?.[index] ?? columnName(index, width);
  return [name(0), name(1)];
}

/** Whether a panel stands in the first column, and whether none stands below it. */
export interface Place {
  readonly first: boolean;
  readonly last: boolean;
}

const panelPlace = (index: number, count: number, columns: number): Place => ({
  first: index % columns === 0,
  last: index + columns >= count,
});

/** Axes that all panels share, and the maker of each panel. */
export interface SharedFrame {
  readonly panel: (panel: CloudPanel, place: Place) => Panel;
  readonly notes: readonly string[];
  /** What each panel draws and leaves out */
  readonly tallies: readonly Tally[];
}

/** Shared axes for scatter plots of at most `limit` dots each, whose plotting area is `inner` px wide. */
export function planeFrame(
  panels: readonly CloudPanel[],
  inner: number,
  names: readonly [string, string],
  limit: number,
  reference?: Cloud,
): SharedFrame {
  const clouds = [...panels.map(({ cloud }) => cloud), ...(reference ? [reference] : [])];
  const range = (column: number): Domain => rangeOf(clouds.map((cloud) => columnOf(cloud, column)));
  const axes = equalAspect(range(0), range(1), inner, [inner * 0.6, inner * 1.1]);
  const points = (cloud: Cloud, most = limit): PlanePoints => planePoints(cloud, [0, 1], axes.x, axes.y, most);
  const width = panels[0]?.cloud.columns.length ?? 0;
  const behind = reference ? dotMarks([{ ...points(reference, limit / 2), colour: colours.faintData }]) : [];
  const panel = ({ label, cloud, colour }: CloudPanel, place: Place): Panel => {
    const marks = [...behind, ...dotMarks([{ ...points(cloud), colour }], inner < 300 ? 0.8 : 1)];
    return framed({ label, marks, inner, height: axes.height, x: axes.x, y: axes.y, names, place });
  };
  const shown = width > 2 ? [`Shown: the first 2 of ${width} columns (${names.join(", ")}).`] : [];
  return { panel, notes: shown, tallies: panels.map(({ cloud }) => points(cloud).tally) };
}

/** Shared axes for histograms whose plotting area is `inner` px wide. */
export function densityFrame(
  panels: readonly CloudPanel[],
  inner: number,
  names: readonly [string, string],
  _limit: number,
  reference?: Cloud,
): SharedFrame {
  const clouds = [...panels.map(({ cloud }) => cloud), ...(reference ? [reference] : [])];
  const x = rangeOf(clouds.map((cloud) => columnOf(cloud, 0)));
  const bins = binsFor(Math.min(...clouds.map(({ count }) => count)));
  const counted = (cloud: Cloud): Histogram => histogram(columnOf(cloud, 0), x, bins);
  const y = densityDomain(clouds.map(counted));
  const behind = reference ? densityMarks(counted(reference), colours.faintData, 0.35) : [];
  const panel = ({ label, cloud, colour }: CloudPanel, place: Place): Panel => {
    const marks = [...behind, ...densityMarks(counted(cloud), colour, 0.35)];
    return framed({ label, marks, inner, height: inner * 0.75, x, y, names: [names[0], "density"], place });
  };
  return { panel, notes: [], tallies: panels.map(({ cloud }) => cloudTally(cloud)) };
}

interface Framed {
  readonly label: string;
  readonly marks: readonly Markish[];
  readonly inner: number;
  readonly height: number;
  readonly x: Domain;
  readonly y: Domain;
  readonly names: readonly [string, string];
  readonly place: Place;
}

function framed({ label, marks, inner, height, names, place, ...domains }: Framed): Panel {
  const x: AxisOptions = { domain: domains.x, label: names[0], ticks: place.last, spacing: 50, keepOffEdges: true };
  const y: AxisOptions = { domain: domains.y, label: names[1], ticks: place.first };
  const margins = { ...axisMargins(x, y), marginRight: 6 };
  const all = [...axisMarks(x, y), frame({ stroke: colours.grid }), ...marks];
  return {
    title: label,
    width: Math.round(inner + margins.marginLeft + margins.marginRight),
    height: Math.round(height + margins.marginTop + margins.marginBottom),
    plot: { ...margins, x: scaleOf(x), y: scaleOf(y), marks: all },
  };
}
