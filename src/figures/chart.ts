import { shown } from "../math/shown.ts";
import { at } from "../math/error.ts";
import { chartPanel, marginFor, planeOf, type ChartPanel } from "./chart-panel.ts";
import { leftOut, sentences } from "./chart-notes.ts";
import { omissionsOf, type ChartPlane, type Omissions } from "./chart-points.ts";
import { checkAxis, checkReference, checkSeries, legendOf, refuse } from "./chart-series.ts";
import { referenceStylesOf, seriesStyles } from "./chart-series.ts";
import { renderSheet } from "./sheet.ts";
import { figureWidth } from "./theme.ts";

/** What `chartFigure` draws. */
export interface ChartOptions {
  readonly title: string;
  readonly panels: readonly ChartPanel[];
  /** Panels in a row, 1…4; default: 1 to 3, by their number */
  readonly columns?: number;
  /** Lines below the figure */
  readonly notes?: readonly string[];
  /** What error bars mean, e.g. "bars: standard error over 5 seeds" */
  readonly errorBars?: string;
}

const heights: readonly number[] = [380, 310, 270, 250];
const usualColumns: readonly number[] = [1, 1, 2, 3, 2, 3, 3];

/**
 * Draws curves in panels with one legend: a label has one colour in the whole figure. What the axes do not show is cut off at
 * them; a curve breaks where a value is missing.
 * @returns SVG markup
 * @throws UnnoiseError `data` for no panel or no series, arrays that differ in length, negative errors, and domains, ticks or
 * references that their axis cannot show
 */
export function chartFigure(options: ChartOptions): string {
  const { title, panels, notes = [], errorBars } = options;
  const columns = columnsOf(options);
  panels.forEach(checkPanel);
  const styles = {
    series: seriesStyles(panels.flatMap(({ series }) => series)),
    references: referenceStylesOf(panels.flatMap(({ references = [] }) => references)),
  };
  const [width, height] = [Math.floor(figureWidth / columns), heights[columns - 1] ?? 380];
  const planes = panels.map((panel) => planeOf(panel, width - 80, height - 50));
  const marginLeft = marginFor(planes);
  const drawn = panels.map((panel, i) => chartPanel(panel, at(planes, i), styles, { width, height, marginLeft }));
  return renderSheet({
    title,
    rows: Array.from({ length: Math.ceil(drawn.length / columns) }, (_, row) =>
      drawn.slice(row * columns, (row + 1) * columns),
    ),
    legend: [...legendOf(styles.series), ...legendOf(styles.references)],
    notes: [...sentences(errorBars), ...notes, ...omissionNotes(panels, planes)],
    gap: 0,
  });
}

function columnsOf({ panels, columns = usualColumns[panels.length] ?? 3 }: ChartOptions): number {
  if (panels.length === 0) refuse("chart figure: expected at least one panel, got none");
  if (Number.isInteger(columns) && columns >= 1 && columns <= heights.length) return columns;
  return refuse(`chart figure: expected columns to be an integer in 1…${heights.length}, got ${columns}`);
}

function checkPanel({ title, x, y, series, references = [] }: ChartPanel, index: number): void {
  const where = `chart figure: panel ${index + 1}${title === undefined ? "" : ` (${shown(title)})`}`;
  if (series.length === 0) refuse(`${where}: expected at least one series, got none`);
  checkAxis(x, `${where}, x axis`);
  checkAxis(y, `${where}, y axis`);
  for (const each of series) checkSeries(each, where);
  for (const each of references) checkReference(each, x.log === true, y.log === true, where);
}

function omissionNotes(panels: readonly ChartPanel[], planes: readonly ChartPlane[]): string[] {
  const counts = panels.flatMap(({ series }, i) => series.map((each) => omissionsOf(each, at(planes, i))));
  const sum = (key: keyof Omissions): number => counts.reduce((total, count) => total + count[key], 0);
  return leftOut({ notFinite: sum("notFinite"), notPositive: sum("notPositive"), outside: sum("outside") });
}
