import { dot, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { short } from "../math/short.ts";
import { sameShape, shapeText, type FloatTensor } from "../tensor/tensor.ts";
import { arrowMark, gridSpacing, pixelArrows, type PixelArrows } from "./arrows.ts";
import { equalAspect, planePoints, readCloud, tallyNotes, type Domain, type PlanePoints } from "./cloud.ts";
import type { LegendEntry } from "./legend.ts";
import { gridFor, gridWidth, multipleRows } from "./multiples.ts";
import type { Frame } from "./picture.ts";
import type { Tone } from "./ramp.ts";
import { renderSheet } from "./sheet.ts";
import { colours, maxDots } from "./theme.ts";

/** A field of vectors over the plane. */
export interface FieldPanel {
  readonly label: string;
  /** Places of the vectors `[n, 2]`, data units; best on a square grid */
  readonly origins: FloatTensor;
  /** `[n, 2]`, e.g. the score ∇ log q(x_t) */
  readonly vectors: FloatTensor;
  /** Data `[m, 2]` drawn faintly behind, data units */
  readonly points?: FloatTensor;
  readonly tone: Exclude<Tone, "signed">;
}

/** What `fieldFigure` draws. */
export interface FieldOptions {
  readonly title: string;
  /** In reading order */
  readonly panels: readonly FieldPanel[];
  /** One scale of lengths for all panels (default) or one for each, where sizes differ much, as scores of different t do */
  readonly shareScale?: boolean;
  /** Names of both axes, with units where they have them (default x and y) */
  readonly columnNames?: readonly string[];
  readonly notes?: readonly string[];
}

const MOST_ARROWS = 2500;
/** Part of the distance between neighbours that a full arrow fills. */
const FULL = 0.95;

/**
 * Draws fields of vectors as arrows centred on their places, in small multiples with shared axes: a vector at
 * the 95th percentile of sizes is an arrow as long as the grid is wide; longer ones are drawn at that length.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is no panel, shapes are not `[n, 2]`, or a panel has more than 2,500 vectors
 */
export function fieldFigure(options: FieldOptions): string {
  const { panels, shareScale = true } = options;
  if (panels.length === 0) throw new UnnoiseError("data", "field: expected at least one panel, got none");
  panels.forEach(checkPanel);
  const grid = gridFor(panels.length, 4);
  const frame = sharedFrame(panels, grid.inner);
  const arrows = panels.map(({ origins, vectors }) => pixelArrows(origins.data, vectors.data, frame));
  const longest = FULL * Math.min(...panels.map(({ origins }) => spacingIn(origins, frame)));
  const scales = arrows.map((each) => longest / percentile95(shareScale ? arrows : [each]));
  const behind = panels.map(({ points }) => points && pointsBehind(points, frame, panels.length));
  const multiples = panels.map(({ label, tone }, index) => ({
    label: shareScale ? label : `${label} (longest ${sizeText(frame, scales[index] ?? 1, longest)})`,
    marks: [
      ...cloudMarks(behind[index]),
      ...arrows.slice(index, index + 1).map((each) => arrowMark(each, scales[index] ?? 1, longest, tone)),
    ],
    x: frame.x,
    y: frame.y,
  }));
  const names = [options.columnNames?.[0] ?? "x", options.columnNames?.[1] ?? "y"] as const;
  const rows = multipleRows(multiples, grid, { names, height: frame.height });
  const notes = [
    scaleNote(shareScale, sizeText(frame, scales[0] ?? 1, longest)),
    ...missingNotes(panels, arrows),
    ...tallyNotes(behind.flatMap((points) => (points ? [points.tally] : []))),
    ...(options.notes ?? []),
  ];
  return renderSheet({ title: options.title, rows, notes, legend: legendOf(panels), gap: 0, width: gridWidth(grid) });
}

function checkPanel({ label, origins, vectors, points }: FieldPanel): void {
  const what = `field: panel "${label}"`;
  const [count = 0, width] = origins.shape;
  if (origins.shape.length !== 2 || width !== 2 || count === 0 || !sameShape(origins.shape, vectors.shape)) {
    const got = `${shapeText(origins.shape)} and ${shapeText(vectors.shape)}`;
    throw new UnnoiseError("data", `${what}: expected origins and vectors of one shape [n ≥ 1, 2], got ${got}`);
  }
  if (count > MOST_ARROWS) {
    throw new UnnoiseError(
      "data",
      `${what}: expected at most ${MOST_ARROWS} vectors, got ${count}; use a coarser grid`,
    );
  }
  if (!origins.data.every(Number.isFinite)) {
    throw new UnnoiseError("data", `${what}: expected finite origins, got NaN or an infinite value`);
  }
  if (points && (points.shape.length !== 2 || points.shape[1] !== 2)) {
    throw new UnnoiseError("data", `${what}: expected points [m, 2], got ${shapeText(points.shape)}`);
  }
}

const originColumn = ({ data }: FloatTensor, column: number): Float32Array =>
  data.filter((_, index) => index % 2 === column);

/** Axes that hold every arrow; points further out are left out. */
function sharedFrame(panels: readonly FieldPanel[], inner: number): Frame {
  const range = (column: number): Domain => {
    const ends = panels.map(({ origins }) => extent(originColumn(origins, column)));
    const [low, high] = [Math.min(...ends.map(([from]) => from)), Math.max(...ends.map(([, to]) => to))];
    const margin = high > low ? (high - low) * 0.06 : 1;
    return [low - margin, high + margin];
  };
  return { ...equalAspect(range(0), range(1), inner, [inner * 0.4, inner * 1.2]), width: inner };
}

const extent = (values: Float32Array): Domain => [Math.min(...values), Math.max(...values)];

function spacingIn(origins: FloatTensor, frame: Frame): number {
  const size = (column: number, pixels: number, domain: Domain): number => {
    const [low, high] = extent(originColumn(origins, column));
    return ((high - low) * pixels) / (domain[1] - domain[0]);
  };
  const spacing = gridSpacing(origins.shape[0] ?? 0, size(0, frame.width, frame.x), size(1, frame.height, frame.y));
  return spacing > 0 ? Math.min(spacing, frame.width / 4) : frame.width / 4;
}

/** 95th percentile of all sizes; where most are zero, the largest; 1 where all are. */
function percentile95(arrows: readonly PixelArrows[]): number {
  const sorted = Float64Array.from(arrows.flatMap(({ size }) => Array.from(size))).sort();
  const high = sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? 0;
  return high || sorted.at(-1) || 1;
}

/** Points for a background, few enough that arrows can be read on them. */
function pointsBehind(points: FloatTensor, frame: Frame, panels: number): PlanePoints {
  const limit = Math.min(maxDots / 2 / panels, (frame.width * frame.height) / 60);
  return planePoints(readCloud(points, "field: points"), [0, 1], frame.x, frame.y, limit);
}

function cloudMarks(points: PlanePoints | undefined): Markish[] {
  if (points === undefined) return [];
  const { x, y } = points;
  return [dot({ length: x.length }, { x, y, r: 1.1, fill: colours.faintData, fillOpacity: 0.7, stroke: "none" })];
}

const legendOf = (panels: readonly FieldPanel[]): LegendEntry[] =>
  panels.some(({ points }) => points !== undefined)
    ? [{ label: "points", colour: colours.faintData, mark: "dot" }]
    : [];

/** The size of vector that a full arrow stands for, along each axis where their units have different lengths. */
function sizeText({ x, y, width, height }: Frame, scale: number, longest: number): string {
  const along = ([low, high]: Domain, pixels: number): number => (longest * (high - low)) / (pixels * scale);
  const [across, up] = [along(x, width), along(y, height)];
  return Math.abs(across - up) < 0.01 * across ? short(across) : `${short(across)} along x, ${short(up)} along y`;
}

function scaleNote(shareScale: boolean, size: string): string {
  if (shareScale) {
    return `Scale of all panels: the longest arrow is a vector of size ${size} or more (95th percentile); the longer, the darker.`;
  }
  return "Each panel has its own scale: its longest arrow is a vector of the size in its heading or more (95th percentile).";
}

function missingNotes(panels: readonly FieldPanel[], arrows: readonly PixelArrows[]): string[] {
  const given = panels.reduce((sum, { origins }) => sum + (origins.shape[0] ?? 0), 0);
  const missing = given - arrows.reduce((sum, { size }) => sum + size.length, 0);
  return missing > 0 ? [`Not finite, so not drawn: ${missing} ${missing === 1 ? "vector" : "vectors"}.`] : [];
}
