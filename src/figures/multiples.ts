import { frame, type Markish } from "@observablehq/plot";
import { axisMargins, axisMarks, scaleOf, type AxisOptions } from "./axes.ts";
import type { Domain } from "./cloud.ts";
import type { Panel } from "./sheet.ts";
import { colours, figureWidth } from "./theme.ts";

/** How small multiples share a figure. */
export interface Grid {
  readonly columns: number;
  /** Width in px of each plotting area */
  readonly inner: number;
  /** Whether every panel carries the ticks of its own axes */
  readonly ownAxes: boolean;
}

/** One of the small multiples. */
export interface Multiple {
  readonly label: string;
  readonly marks: readonly Markish[];
  readonly x: Domain;
  readonly y: Domain;
}

/** What the small multiples of a figure have in common. */
export interface MultiplesOptions {
  readonly names: readonly [string, string];
  /** Height in px of each plotting area */
  readonly height: number;
  /** Whether the horizontal axis runs from high to low */
  readonly reverseX?: boolean;
  /** Tick spacing in px on the horizontal axis */
  readonly spacing?: number;
}

const LARGEST = 440;

/** Left margin (px) of a plotting area that stands first in its row. */
export const leftMargin = 70;

/** The grid for `count` panels, at most `most` a row. */
export function gridFor(count: number, most: number, options: { largest?: number; ownAxes?: boolean } = {}): Grid {
  const { largest = LARGEST, ownAxes = false } = options;
  const columns = Math.ceil(count / Math.ceil(count / most));
  const margins = ownAxes ? 22 + 54 * columns : 76 + 18 * columns;
  return { columns, inner: Math.min(largest, (figureWidth - margins) / columns), ownAxes };
}

/** Width in px of a figure that holds such a grid: less than the usual width where one panel would not fill it. */
export function gridWidth({ columns, inner }: Grid): number {
  return columns > 1 ? figureWidth : Math.min(figureWidth, Math.ceil(leftMargin + inner + 30));
}

/**
 * Panels side by side in rows. With shared axes only the first column and the lowest panels carry ticks; axes that are
 * the panels' own have ticks everywhere.
 */
export function multipleRows(multiples: readonly Multiple[], grid: Grid, options: MultiplesOptions): Panel[][] {
  const panels = multiples.map((multiple, index) => {
    const place = { first: index % grid.columns === 0, last: index + grid.columns >= multiples.length };
    return framedPanel(multiple, grid, options, place);
  });
  return Array.from({ length: Math.ceil(panels.length / grid.columns) }, (_, row) =>
    panels.slice(row * grid.columns, (row + 1) * grid.columns),
  );
}

function framedPanel(
  multiple: Multiple,
  { columns, inner, ownAxes }: Grid,
  { names, height, reverseX = false, spacing = 50 }: MultiplesOptions,
  { first, last }: { readonly first: boolean; readonly last: boolean },
): Panel {
  const label = (name: string, shown: boolean): string | undefined => (shown ? name : undefined);
  const horizontal = { domain: multiple.x, label: label(names[0], last), spacing, keepOffEdges: columns > 1 };
  const x: AxisOptions = { ...horizontal, ticks: ownAxes || last };
  const y: AxisOptions = { domain: multiple.y, label: label(names[1], first), ticks: ownAxes || first };
  const margins = { ...axisMargins(x, y), marginRight: 6 };
  const marks = [...axisMarks(x, y), ...multiple.marks, frame({ stroke: colours.grid })];
  return {
    title: multiple.label,
    width: inner + margins.marginLeft + margins.marginRight,
    height: height + margins.marginTop + margins.marginBottom,
    plot: { ...margins, x: { ...scaleOf(x), reverse: reverseX }, y: scaleOf(y), marks },
  };
}
