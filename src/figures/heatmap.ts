import { UnnoiseError } from "../math/error.ts";
import { short } from "../math/short.ts";
import { equalAspect, type Domain } from "./cloud.ts";
import { colourBarPanel } from "./colour-bar.ts";
import { gridFor, gridWidth, multipleRows } from "./multiples.ts";
import type { Rgb } from "./oklab.ts";
import { pictureMark, type Frame } from "./picture.ts";
import { steppedRamp, type Tone } from "./ramp.ts";
import { renderSheet } from "./sheet.ts";

/** Numbers on a grid over the plane. */
export interface HeatmapPanel {
  readonly label: string;
  /** `[rows × columns]`, row 0 at the lowest y */
  readonly values: ArrayLike<number>;
  readonly columns: number;
  readonly rows: number;
  /** Extent of the columns, data units */
  readonly x: Domain;
  /** Extent of the rows, data units */
  readonly y: Domain;
}

/** What `heatmapFigure` draws. */
export interface HeatmapOptions {
  readonly title: string;
  /** In reading order */
  readonly panels: readonly HeatmapPanel[];
  /** What the numbers are, e.g. "density" */
  readonly valueLabel: string;
  /** Colours: white to blue (`data`, default), white to vermilion (`samples`), blue–white–vermilion with 0 white */
  readonly tone?: Tone;
  /** One colour scale for all panels (default) or one for each */
  readonly shareScale?: boolean;
  /** Names of both axes, with units where they have them (default x and y) */
  readonly columnNames?: readonly string[];
  readonly notes?: readonly string[];
}

/**
 * Draws numbers over the plane as small multiples with shared axes and a colour bar.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is no panel, a panel's numbers do not fill its grid or are not finite, or an
 * extent is empty
 */
export function heatmapFigure(options: HeatmapOptions): string {
  const { panels, tone = "data", shareScale = true, valueLabel } = options;
  if (panels.length === 0) throw new UnnoiseError("data", "heatmap: expected at least one panel, got none");
  panels.forEach(checkPanel);
  const shared = scaleFor(tone, panels);
  const scales = panels.map((panel) => (shareScale ? shared : scaleFor(tone, [panel])));
  const grid = gridFor(panels.length, 4);
  const frame = sharedFrame(panels, grid.inner);
  const multiples = panels.map((panel, index) => ({
    label: shareScale ? panel.label : `${panel.label} (1 = ${short((scales[index] ?? shared)[1])})`,
    marks: [pictureMark({ ...panel, colourAt: colourAt(panel, tone, scales[index] ?? shared) }, frame)],
    x: frame.x,
    y: frame.y,
  }));
  const names = [options.columnNames?.[0] ?? "x", options.columnNames?.[1] ?? "y"] as const;
  const domain: Domain = shareScale ? shared : tone === "signed" ? [-1, 1] : [0, 1];
  const label = shareScale ? valueLabel : `${valueLabel} / largest of the panel`;
  const rows = [
    [colourBarPanel({ tone, domain, label })],
    ...multipleRows(multiples, grid, { names, height: frame.height }),
  ];
  const own = shareScale ? [] : ["Each panel has its own colour scale; the value of 1 stands in its heading."];
  const notes = [...own, ...(options.notes ?? [])];
  return renderSheet({ title: options.title, rows, notes, gap: 0, width: gridWidth(grid) });
}

function checkPanel({ label, values, columns, rows, x, y }: HeatmapPanel): void {
  const what = `heatmap: panel "${label}"`;
  const sized = [columns, rows].every((extent) => Number.isInteger(extent) && extent >= 1 && extent <= 4096);
  if (!sized || values.length !== columns * rows) {
    const got = `${values.length} for ${columns} × ${rows}`;
    throw new UnnoiseError("data", `${what}: expected columns × rows values (sides in 1…4096), got ${got}`);
  }
  const wrong = Array.from(values).findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new UnnoiseError("data", `${what}: expected finite values, got ${values[wrong] ?? ""} at index ${wrong}`);
  }
  checkExtent(x, `${what}: x`);
  checkExtent(y, `${what}: y`);
}

/** Refuses an extent that is not two finite numbers, the lower one first. */
export function checkExtent([low, high]: Domain, what: string): void {
  if (low < high && Number.isFinite(high - low)) return;
  throw new UnnoiseError("data", `${what}: expected an extent [low, high] with low < high, got [${low}, ${high}]`);
}

/** Numbers at both ends of the ramp: 0 (or lower) to the largest; both signs to the largest size when signed. */
function scaleFor(tone: Tone, panels: readonly HeatmapPanel[]): Domain {
  let [low, high] = [0, 0];
  for (const { values } of panels) {
    for (const value of Array.from(values)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low === high) return tone === "signed" ? [-1, 1] : [0, 1];
  if (tone !== "signed") return [low, high];
  const size = Math.max(-low, high);
  return [-size, size];
}

function colourAt({ values, columns }: HeatmapPanel, tone: Tone, [low, high]: Domain) {
  const ramp = steppedRamp(tone);
  return (column: number, row: number): Rgb => ramp(((values[row * columns + column] ?? 0) - low) / (high - low));
}

function sharedFrame(panels: readonly HeatmapPanel[], inner: number): Frame {
  const union = (extents: readonly Domain[]): Domain => [
    Math.min(...extents.map(([low]) => low)),
    Math.max(...extents.map(([, high]) => high)),
  ];
  const [x, y] = [union(panels.map((panel) => panel.x)), union(panels.map((panel) => panel.y))];
  return { ...equalAspect(x, y, inner, [inner * 0.4, inner * 1.2]), width: inner };
}
