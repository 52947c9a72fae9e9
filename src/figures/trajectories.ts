import { dot, line, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import { columnOf, equalAspect, planePoints, rangeOf, readCloud, type Cloud, type Domain } from "./cloud.ts";
import { dotMarks } from "./dots.ts";
import type { LegendEntry } from "./legend.ts";
import { renderSheet } from "./sheet.ts";
import { columnNames } from "./strip.ts";
import { colours, mixColours } from "./theme.ts";

/** What `trajectoriesFigure` draws. */
export interface TrajectoriesOptions {
  /** `[paths, times, D]`, data units */
  readonly paths: FloatTensor;
  /** t of each time, in the order of `paths`: from noise to sample */
  readonly timesteps: ArrayLike<number>;
  /** Real data `[m, D]` behind the paths, data units */
  readonly reference?: FloatTensor;
  readonly title: string;
  /** Name of each column, with its unit where it has one */
  readonly columns?: readonly string[];
}

interface Path {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

const MAX_VERTICES = 240;
const PIECES = 16;
const WIDTH = 640;

/**
 * Draws the way of single points through the reverse process, fading from noise to sample: in the plane for two columns
 * (the first two of more) with the data behind, against t for one.
 * @returns SVG markup
 * @throws UnnoiseError `data` when `paths` is not `[paths, times, D]` with one timestep for each time
 */
export function trajectoriesFigure(options: TrajectoriesOptions): string {
  const width = options.paths.shape[2] ?? 0;
  const paths = readPaths(options);
  const reference = options.reference && readCloud(options.reference, "reference");
  const axes =
    width === 1 ? timeAxes(paths, options) : planeAxes(paths, reference, columnNames(options.columns, width));
  const behind = width === 1 || !reference ? [] : referenceDots(reference, axes.x.domain, axes.y.domain);
  const marks = [...axisMarks(axes.x, axes.y), ...behind, ...paths.flatMap(pathMarks), ...endMarks(paths)];
  const x = { ...scaleOf(axes.x), reverse: width === 1 };
  const plot = { ...axisMargins(axes.x, axes.y), x, y: scaleOf(axes.y), marks };
  const rows = [[{ width: WIDTH, height: axes.height, plot }]];
  const notes = width > 2 ? [`Shown: the first 2 of ${width} columns.`] : [];
  return renderSheet({ title: options.title, rows, legend: legendOf(behind.length > 0), notes, width: WIDTH });
}

function legendOf(hasReference: boolean): LegendEntry[] {
  const data: LegendEntry = { label: "data", colour: colours.faintData, mark: "dot" };
  return [
    ...(hasReference ? [data] : []),
    { label: "start (noise)", colour: colours.noise, mark: "ring" },
    { label: "end (sample)", colour: colours.samples, mark: "dot" },
  ];
}

/** Paths as vertices, thinned to what a picture can show; a path ends where it stops being finite. */
function readPaths({ paths, timesteps }: TrajectoriesOptions): Path[] {
  const [count = 0, times = 0, width = 0] = paths.shape;
  if (paths.shape.length !== 3 || count * times * width === 0 || times !== timesteps.length) {
    const got = `[${paths.shape.join(", ")}] and ${timesteps.length} timesteps`;
    throw new UnnoiseError(
      "data",
      `trajectories: expected paths [paths, times, D] and one timestep a time, got ${got}`,
    );
  }
  const kept = Math.min(times, MAX_VERTICES);
  const steps = Array.from({ length: kept }, (_, index) => Math.round((index * (times - 1)) / Math.max(1, kept - 1)));
  return Array.from({ length: count }, (_, path) => {
    const value = (time: number, column: number): number => paths.data[(path * times + time) * width + column] ?? 0;
    const finite = steps.filter(
      (time) => Number.isFinite(value(time, 0)) && Number.isFinite(value(time, width > 1 ? 1 : 0)),
    );
    const x = Float64Array.from(finite, (time) => (width === 1 ? (timesteps[time] ?? 0) : value(time, 0)));
    return { x, y: Float64Array.from(finite, (time) => value(time, width === 1 ? 0 : 1)) };
  }).filter(({ x }) => x.length > 0);
}

interface Axes {
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly height: number;
}

function timeAxes(paths: readonly Path[], { timesteps, columns }: TrajectoriesOptions): Axes {
  const x = { domain: [0, Math.max(...Array.from(timesteps), 1)] as const, label: "timestep t" };
  return { x, y: { domain: rangeOf(paths.map(({ y }) => y)), label: columns?.[0] ?? "x" }, height: 420 };
}

function planeAxes(paths: readonly Path[], reference: Cloud | undefined, names: readonly [string, string]): Axes {
  const behind = (column: number): Float32Array[] => (reference ? [columnOf(reference, column)] : []);
  const xs = extent([...paths.map(({ x }) => x), rangeOf(behind(0))]);
  const ys = extent([...paths.map(({ y }) => y), rangeOf(behind(1))]);
  const margins = axisMargins({ domain: xs, label: "" }, { domain: ys, label: "" });
  const inner = WIDTH - margins.marginLeft - margins.marginRight;
  const { x, y, height } = equalAspect(xs, ys, inner, [240, inner]);
  const outer = height + margins.marginTop + margins.marginBottom;
  return { x: { domain: x, label: names[0] }, y: { domain: y, label: names[1] }, height: outer };
}

function extent(columns: readonly ArrayLike<number>[]): Domain {
  const all = columns.flatMap((column) => Array.from(column));
  const [low, high] = all.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const margin = (high - low) * 0.04;
  return [low - margin, high + margin];
}

const referenceDots = (reference: Cloud, x: Domain, y: Domain): Markish[] => {
  const points = planePoints(reference, [0, 1], x, y, 4000);
  return dotMarks([{ ...points, colour: colours.faintData }]);
};

/** A path in pieces, whose colour goes from noise to sample. */
function pathMarks({ x, y }: Path): Markish[] {
  const last = x.length - 1;
  const pieces = Math.min(PIECES, last);
  return Array.from({ length: pieces }, (_, piece) => {
    const [start, end] = [piece, piece + 1].map((edge) => Math.round((edge * last) / pieces)) as [number, number];
    const part = { x: x.subarray(start, end + 1), y: y.subarray(start, end + 1) };
    const stroke = mixColours(colours.noise, colours.samples, (piece + 0.5) / pieces);
    return line({ length: part.x.length }, { ...part, stroke, strokeWidth: 1.25, strokeOpacity: 0.75 });
  });
}

function endMarks(paths: readonly Path[]): Markish[] {
  const ends = (pick: (values: Float64Array) => number | undefined) => ({
    x: paths.map(({ x }) => pick(x) ?? 0),
    y: paths.map(({ y }) => pick(y) ?? 0),
  });
  const ring = { r: 3, fill: colours.background, stroke: colours.noise, strokeWidth: 1.25 };
  const disc = { r: 3.5, fill: colours.samples, stroke: colours.background, strokeWidth: 0.75 };
  return [
    dot({ length: paths.length }, { ...ends((values) => values[0]), ...ring }),
    dot({ length: paths.length }, { ...ends((values) => values.at(-1)), ...disc }),
  ];
}
