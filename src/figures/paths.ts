import { dot, line, type Markish } from "@observablehq/plot";
import { UnnoiseError, at } from "../math/error.ts";
import { shapeText, type FloatTensor } from "../tensor/tensor.ts";
import { columnOf, equalAspect, planePoints, rangeOf, readCloud, type Cloud, type Domain } from "./cloud.ts";
import { dotMarks } from "./dots.ts";
import { gridFor, multipleRows } from "./multiples.ts";
import { renderSheet } from "./sheet.ts";
import { columnNames } from "./strip.ts";
import { categories, colours } from "./theme.ts";

/** The paths of one process. */
export interface PathsPanel {
  readonly label: string;
  /** `[paths, times, D ≥ 2]`, data units, from start to end */
  readonly paths: FloatTensor;
}

/** What `pathsFigure` draws. */
export interface PathsOptions {
  readonly title: string;
  /** In reading order; path i has one colour in all of them */
  readonly panels: readonly PathsPanel[];
  /** Data `[m, D]` behind the paths, data units */
  readonly reference: FloatTensor;
  /** Name of each column, with its unit where it has one */
  readonly columns?: readonly string[];
}

/** Dots of the data behind the paths of one panel. */
const REFERENCE_DOTS = 1200;

/**
 * Draws single points on their way through several processes, side by side: each point has one colour, a ring where it starts and a dot
 * where it ends.
 * @returns SVG markup
 * @throws UnnoiseError `data` for no panel, or paths that are not `[paths ≥ 1, times ≥ 2, D ≥ 2]`
 */
export function pathsFigure({ title, panels, reference, columns }: PathsOptions): string {
  if (panels.length === 0) throw new UnnoiseError("data", "paths: expected at least one panel, got none");
  panels.forEach(checkPanel);
  const cloud = readCloud(reference, "reference");
  const grid = gridFor(panels.length, 3);
  const range = (column: number): Domain => {
    const all = panels.map(({ paths }) =>
      Float32Array.from(paths.data.filter((_, i) => i % at(paths.shape, 2) === column)),
    );
    return rangeOf([...all, columnOf(cloud, column)]);
  };
  const axes = equalAspect(range(0), range(1), grid.inner, [grid.inner * 0.6, grid.inner * 1.3]);
  const behind = referenceMarks(cloud, axes.x, axes.y);
  const multiples = panels.map(({ label, paths }) => ({
    label,
    marks: [...behind, ...pathMarks(paths)],
    x: axes.x,
    y: axes.y,
  }));
  const legend = [
    { label: "data", colour: colours.faintData, mark: "dot" as const },
    { label: "start of a path", colour: colours.ink, mark: "ring" as const },
    { label: "its end", colour: colours.ink, mark: "dot" as const },
  ];
  const names = columnNames(columns, cloud.columns.length);
  return renderSheet({ title, rows: multipleRows(multiples, grid, { names, height: axes.height }), legend, gap: 0 });
}

function checkPanel({ label, paths: { shape } }: PathsPanel): void {
  const [count = 0, times = 0, width = 0] = shape;
  if (shape.length === 3 && count >= 1 && times >= 2 && width >= 2) return;
  throw new UnnoiseError(
    "data",
    `paths: panel "${label}": expected [paths ≥ 1, times ≥ 2, D ≥ 2], got ${shapeText(shape)}`,
  );
}

function referenceMarks(cloud: Cloud, x: Domain, y: Domain): Markish[] {
  const points = planePoints(cloud, [0, 1], x, y, REFERENCE_DOTS);
  return dotMarks([{ ...points, colour: colours.faintData }], 0.75);
}

function pathMarks({ data, shape }: FloatTensor): Markish[] {
  const [count = 0, times = 0, width = 0] = shape;
  const ways = Array.from({ length: count }, (_, path) => {
    const value = (time: number, column: number): number => data[(path * times + time) * width + column] ?? Number.NaN;
    const along = (column: number): Float64Array =>
      Float64Array.from({ length: times }, (__, time) => value(time, column));
    return { x: along(0), y: along(1), colour: at(categories, path % categories.length) };
  });
  const lines = ways.map(({ x, y, colour }) =>
    line({ length: times }, { x, y, stroke: colour, strokeWidth: 1.1, strokeOpacity: 0.8, clip: true }),
  );
  const ends = ways.flatMap(({ x, y, colour }) => [
    dot(
      { length: 1 },
      { x: x.subarray(0, 1), y: y.subarray(0, 1), r: 4, fill: colours.background, stroke: colour, strokeWidth: 1.8 },
    ),
    dot(
      { length: 1 },
      { x: x.subarray(-1), y: y.subarray(-1), r: 3.6, fill: colour, stroke: colours.background, strokeWidth: 0.8 },
    ),
  ]);
  return [...lines, ...ends];
}
