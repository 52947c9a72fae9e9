import { line, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import type { Domain } from "./cloud.ts";
import { colourBarPanel } from "./colour-bar.ts";
import { checkExtent } from "./heatmap.ts";
import type { LegendEntry } from "./legend.ts";
import { gridFor, gridWidth, multipleRows } from "./multiples.ts";
import type { Rgb } from "./oklab.ts";
import { pictureMark, type Frame } from "./picture.ts";
import { steppedRamp, type Tone } from "./ramp.ts";
import { renderSheet, type Panel } from "./sheet.ts";
import { colours } from "./theme.ts";

type FlowTone = Exclude<Tone, "signed">;

/** The density of one coordinate at each time of a process. */
export interface FlowPanel {
  readonly label: string;
  /** Where each time stands on the horizontal axis, rising or falling */
  readonly times: ArrayLike<number>;
  /** `[times × bins]`, ≥ 0, bin 0 at the lowest value */
  readonly densities: ArrayLike<number>;
  readonly bins: number;
  /** Extent of the bins, data units */
  readonly y: Domain;
  /** Single paths, one value for each time, data units */
  readonly paths?: readonly ArrayLike<number>[];
  readonly tone: FlowTone;
}

/** What `flowFigure` draws. */
export interface FlowOptions {
  readonly title: string;
  /** In reading order */
  readonly panels: readonly FlowPanel[];
  /** Name of the time, e.g. "timestep t" */
  readonly xLabel: string;
  /** Name of the coordinate, with its unit where it has one */
  readonly yLabel: string;
  /** What the densities are, e.g. "density of x" */
  readonly valueLabel: string;
  /** Divide by each time's own maximum (`column`, default), so that every time is seen, or draw one scale for `all` */
  readonly normalise?: "column" | "all";
  /** Whether time runs from high on the left to low on the right */
  readonly reverseTime?: boolean;
  readonly notes?: readonly string[];
}

const LARGEST = 640;

/**
 * Draws the density of one coordinate against time as a picture, with single paths on it.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is no panel, times are not at least two finite numbers in rising or falling
 * order, densities are negative, not finite or not one row a time, or a path has not one value a time
 */
export function flowFigure(options: FlowOptions): string {
  const { panels, normalise = "column", reverseTime = false, valueLabel } = options;
  if (panels.length === 0) throw new UnnoiseError("data", "flow: expected at least one panel, got none");
  panels.forEach(checkPanel);
  const grid = gridFor(panels.length, panels.length === 3 ? 3 : 2, { largest: LARGEST });
  const frame = sharedFrame(panels, grid.inner, panels.length > 1 ? 0.7 : 0.55);
  const highest = normalise === "column" ? 1 : Math.max(...panels.map(({ densities }) => largest(densities))) || 1;
  const multiples = panels.map((panel) => ({
    label: panel.label,
    marks: [
      flowPicture(panel, frame, tops(panel, normalise, highest), reverseTime),
      ...(panel.paths ?? []).flatMap((path) => pathMarks(panel, path)),
    ],
    x: frame.x,
    y: frame.y,
  }));
  const label = normalise === "column" ? `${valueLabel} / its maximum at that time` : valueLabel;
  const rows = [
    colourBars([...new Set(panels.map(({ tone }) => tone))], [0, highest], label),
    ...multipleRows(multiples, grid, {
      names: [options.xLabel, options.yLabel],
      height: frame.height,
      reverseX: reverseTime,
      spacing: 70,
    }),
  ];
  const notes = [...notesOn(panels, normalise), ...(options.notes ?? [])];
  return renderSheet({ title: options.title, rows, legend: legendOf(panels), notes, gap: 0, width: gridWidth(grid) });
}

function checkPanel({ label, times, densities, bins, y, paths = [] }: FlowPanel): void {
  const refuse = (expected: string, got: string): never => {
    throw new UnnoiseError("data", `flow: panel "${label}": expected ${expected}, got ${got}`);
  };
  if (!Number.isInteger(bins) || bins < 1 || densities.length !== times.length * bins) {
    refuse("times × bins densities", `${densities.length} for ${times.length} × ${bins}`);
  }
  const steps = Array.from(times)
    .slice(1)
    .map((time, index) => time - (times[index] ?? Number.NaN));
  const ordered =
    steps.every((step) => step > 0 && step < Infinity) || steps.every((step) => step < 0 && step > -Infinity);
  if (steps.length === 0 || !ordered) {
    refuse("at least two finite times in rising or falling order", `${times.length} in another order or not finite`);
  }
  const wrong = Array.from(densities).find((density) => !(density >= 0 && density < Infinity));
  if (wrong !== undefined) refuse("finite densities ≥ 0", `${wrong}`);
  const uneven = paths.find((path) => path.length !== times.length);
  if (uneven) refuse(`paths of ${times.length} values, one a time`, `one of ${uneven.length}`);
  checkExtent(y, `flow: panel "${label}": y`);
}

function sharedFrame(panels: readonly FlowPanel[], width: number, aspect: number): Frame {
  const times = panels.flatMap((panel) => [panel.times[0] ?? 0, panel.times[panel.times.length - 1] ?? 0]);
  const x: Domain = [Math.min(...times), Math.max(...times)];
  const y: Domain = [Math.min(...panels.map((panel) => panel.y[0])), Math.max(...panels.map((panel) => panel.y[1]))];
  return { x, y, width, height: Math.round(Math.min(320, width * aspect)) };
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((high, value) => Math.max(high, value), 0);

/** What the densities of each time are divided by. */
function tops({ bins, densities, times }: FlowPanel, normalise: "column" | "all", highest: number): number[] {
  const column = (time: number): number[] =>
    Array.from({ length: bins }, (_, bin) => densities[time * bins + bin] ?? 0);
  return Array.from({ length: times.length }, (_, time) =>
    normalise === "all" ? highest : largest(column(time)) || 1,
  );
}

/** A picture with a column a px (or so), each in the colours of the time that is nearest. */
function flowPicture(panel: FlowPanel, frame: Frame, tops: readonly number[], reverseTime: boolean): Markish {
  const { bins, densities, times, tone } = panel;
  const [first, last] = [times[0] ?? 0, times[times.length - 1] ?? 0];
  const x: Domain = [Math.min(first, last), Math.max(first, last)];
  const columns = Math.round((frame.width * (x[1] - x[0])) / (frame.x[1] - frame.x[0]));
  const nearest = nearestTimes(times, x, Math.max(1, columns));
  if (reverseTime) nearest.reverse();
  const ramp = steppedRamp(tone);
  const colourAt = (column: number, bin: number): Rgb => {
    const time = nearest[column] ?? 0;
    return ramp((densities[time * bins + bin] ?? 0) / (tops[time] ?? 1));
  };
  return pictureMark({ columns: nearest.length, rows: bins, x, y: panel.y, colourAt }, frame);
}

/** For each of `columns` equal parts of the axis, the index of the time nearest to its middle. */
function nearestTimes(times: ArrayLike<number>, [low, high]: Domain, columns: number): number[] {
  const order = Array.from({ length: times.length }, (_, index) => index);
  if ((times[0] ?? 0) > (times[1] ?? 0)) order.reverse();
  const at = (place: number): number => times[order[place] ?? 0] ?? 0;
  let place = 0;
  return Array.from({ length: columns }, (_, column) => {
    const middle = low + ((high - low) * (column + 0.5)) / columns;
    while (place + 1 < order.length && Math.abs(at(place + 1) - middle) <= Math.abs(at(place) - middle)) place++;
    return order[place] ?? 0;
  });
}

/** A thin line with a light edge, so that it is seen on every colour; it breaks where it leaves the axis. */
function pathMarks({ times, y: [low, high] }: FlowPanel, path: ArrayLike<number>): Markish[] {
  const inside = (value: number): number => (value >= low && value <= high ? value : Number.NaN);
  const drawn = { x: Array.from(times), y: Array.from(path, inside) };
  const stroke = (colour: string, strokeWidth: number, strokeOpacity: number): Markish =>
    line({ length: times.length }, { ...drawn, stroke: colour, strokeWidth, strokeOpacity });
  return [stroke(colours.background, 2.4, 0.7), stroke(colours.ink, 0.9, 0.9)];
}

function colourBars(tones: readonly FlowTone[], domain: Domain, label: string): Panel[] {
  return tones.map((tone) => colourBarPanel({ tone, domain, label, ...(tones.length > 1 ? { title: tone } : {}) }));
}

const hasPaths = ({ paths = [] }: FlowPanel): boolean => paths.length > 0;

const legendOf = (panels: readonly FlowPanel[]): LegendEntry[] =>
  panels.some(hasPaths) ? [{ label: "single paths", colour: colours.ink, mark: "line" }] : [];

function notesOn(panels: readonly FlowPanel[], normalise: "column" | "all"): string[] {
  const leaves = panels.some(({ paths = [], y: [low, high] }) =>
    paths.some((path) => Array.from(path).some((value) => !(value >= low && value <= high))),
  );
  return [
    normalise === "column"
      ? "Each time is divided by its own maximum: colours compare places at one time, not times."
      : "One colour scale for all times.",
    ...(leaves ? ["Paths are not drawn where they leave the axis."] : []),
  ];
}
