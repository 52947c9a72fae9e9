import { dot, type Markish } from "@observablehq/plot";
import { UnnoiseError } from "../math/error.ts";
import { shapeText, type FloatTensor } from "../tensor/tensor.ts";
import { equalAspect, rangeOf, tallyNotes, type Domain, type Tally } from "./cloud.ts";
import { gridFor, gridWidth, multipleRows, type Multiple } from "./multiples.ts";
import { hexOf } from "./oklab.ts";
import { pictureMark, type Frame } from "./picture.ts";
import { placeColour } from "./ramp.ts";
import { renderSheet } from "./sheet.ts";
import { columnNames } from "./strip.ts";
import { dotStyle } from "./theme.ts";

/** The points at one time; row i is the same point in every panel. */
export interface MappingPanel {
  readonly label: string;
  /** `[n, D ≥ 2]`, data units; the first two columns are drawn */
  readonly points: FloatTensor;
}

/** What `mappingFigure` draws. */
export interface MappingOptions {
  readonly title: string;
  /** In reading order, e.g. start, middle, end */
  readonly panels: readonly MappingPanel[];
  /** `[n, D ≥ 2]`, data units: the place of row i, e.g. its start, decides its colour in every panel */
  readonly keys: FloatTensor;
  /** Heading of the panel that shows the colour of each place (default "colour of each start") */
  readonly keyLabel?: string;
  /** Whether each panel has axes of its own (default: all share them) */
  readonly ownAxes?: boolean;
  /** Names of the columns, with units where they have them */
  readonly columnNames?: readonly string[];
  readonly notes?: readonly string[];
}

/** Most dots of all panels; each carries a colour of its own. */
const MOST_DOTS = 16_000;
/** Cells of the colour key along each axis. */
const KEY_CELLS = 90;

/**
 * Draws the same points at several times, each in the colour of its key's place: blue to orange across, dark to light
 * upwards, in equal shares of the keys; the first panel shows the colours.
 * @returns SVG markup
 * @throws UnnoiseError `data` when there is no panel, or keys and points are not `[n ≥ 1, D ≥ 2]` with one n
 */
export function mappingFigure(options: MappingOptions): string {
  const { panels, keys, ownAxes = false, keyLabel = "colour of each start" } = options;
  checkMapping(panels, keys);
  const grid = gridFor(panels.length + 1, ownAxes ? 3 : 4, { ownAxes });
  const clouds = [keys, ...panels.map(({ points }) => points)];
  const frames = framesOf(clouds, grid.inner, ownAxes);
  const colourAt = keyColours(keys);
  const count = Math.min(keys.shape[0] ?? 0, Math.floor(MOST_DOTS / panels.length));
  const dotColours = Array.from({ length: count }, (_, row) =>
    hexOf(colourAt(value(keys, row, 0), value(keys, row, 1))),
  );
  const key = { label: keyLabel, ...keyPanel(keys, colourAt, frameAt(frames, 0)) };
  const drawn = panels.map(({ label, points }, index) =>
    pointsPanel(label, points, dotColours, drawable(keys, points, count, frameAt(frames, index + 1))),
  );
  const width = keys.shape[1] ?? 2;
  const height = frameAt(frames, 0).height;
  const names = columnNames(options.columnNames, Math.max(width, ...panels.map(({ points }) => points.shape[1] ?? 2)));
  const rows = multipleRows([key, ...drawn.map(({ multiple }) => multiple)], grid, { names, height });
  const notes = [
    "Each point keeps the colour of its key through all panels.",
    ...tallyNotes(drawn.map(({ tally }) => tally)),
    ...(options.notes ?? []),
  ];
  return renderSheet({ title: options.title, rows, notes, gap: 0, width: gridWidth(grid) });
}

function checkMapping(panels: readonly MappingPanel[], keys: FloatTensor): void {
  if (panels.length === 0) throw new UnnoiseError("data", "mapping: expected at least one panel, got none");
  const [count = 0, width = 0] = keys.shape;
  if (keys.shape.length !== 2 || count === 0 || width < 2) {
    throw new UnnoiseError("data", `mapping: expected keys [n ≥ 1, D ≥ 2], got ${shapeText(keys.shape)}`);
  }
  for (const { label, points } of panels) {
    if (points.shape.length === 2 && points.shape[0] === count && (points.shape[1] ?? 0) >= 2) continue;
    const got = shapeText(points.shape);
    throw new UnnoiseError(
      "data",
      `mapping: panel "${label}": expected points [${count}, D ≥ 2] like the keys, got ${got}`,
    );
  }
}

const value = ({ data, shape }: FloatTensor, row: number, column: number): number =>
  data[row * (shape[1] ?? 1) + column] ?? Number.NaN;

const columnOfTensor = (points: FloatTensor, column: number): Float64Array =>
  Float64Array.from({ length: points.shape[0] ?? 0 }, (_, row) => value(points, row, column));

function framesOf(clouds: readonly FloatTensor[], inner: number, ownAxes: boolean): Frame[] {
  const heights: readonly [number, number] = ownAxes ? [inner, inner] : [inner * 0.5, inner * 1.2];
  const frame = (shown: readonly FloatTensor[]): Frame => {
    const range = (column: number): Domain => rangeOf(shown.map((cloud) => columnOfTensor(cloud, column)));
    return { ...equalAspect(range(0), range(1), inner, heights), width: inner };
  };
  const shared = frame(clouds);
  return clouds.map((cloud) => (ownAxes ? frame([cloud]) : shared));
}

const frameAt = (frames: readonly Frame[], index: number): Frame =>
  frames[index] ?? { x: [0, 1], y: [0, 1], width: 1, height: 1 };

/** The colour of a place: its share along each axis is the share of keys that lie below it. */
function keyColours(keys: FloatTensor) {
  const [x, y] = [0, 1].map((column) => columnOfTensor(keys, column).filter(Number.isFinite).sort()) as [
    Float64Array,
    Float64Array,
  ];
  return (across: number, up: number) => placeColour(shareBelow(x, across), shareBelow(y, up));
}

/** Share of sorted values below `place`, with equal values counted half. */
function shareBelow(sorted: Float64Array, place: number): number {
  const first = (isPast: (value: number) => boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isPast(sorted[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return (first((value) => value >= place) + first((value) => value > place)) / (2 * Math.max(1, sorted.length));
}

function keyPanel(keys: FloatTensor, colourAt: ReturnType<typeof keyColours>, frame: Frame): Omit<Multiple, "label"> {
  const [x, y] = [rangeOf([columnOfTensor(keys, 0)]), rangeOf([columnOfTensor(keys, 1)])];
  const place = ([low, high]: Domain, cell: number): number => low + ((high - low) * (cell + 0.5)) / KEY_CELLS;
  const colours = (column: number, row: number) => colourAt(place(x, column), place(y, row));
  const picture = pictureMark({ columns: KEY_CELLS, rows: KEY_CELLS, x, y, colourAt: colours }, frame);
  return { marks: [picture], x: frame.x, y: frame.y };
}

interface Drawable {
  readonly frame: Frame;
  readonly rows: readonly number[];
  readonly tally: Tally;
}

/** Rows among the first `count` whose key and point are finite and inside the axes. */
function drawable(keys: FloatTensor, points: FloatTensor, count: number, frame: Frame): Drawable {
  const total = keys.shape[0] ?? 0;
  const isFinite = (row: number): boolean =>
    [keys, points].every((each) => Number.isFinite(value(each, row, 0)) && Number.isFinite(value(each, row, 1)));
  const finite = Array.from({ length: total }, (_, row) => row).filter(isFinite);
  const considered = finite.filter((row) => row < count);
  const inside = (place: number, [low, high]: Domain): boolean => place >= low && place <= high;
  const rows = considered.filter(
    (row) => inside(value(points, row, 0), frame.x) && inside(value(points, row, 1), frame.y),
  );
  const outside = considered.length - rows.length;
  return { frame, rows, tally: { total, considered: considered.length, notFinite: total - finite.length, outside } };
}

function pointsPanel(label: string, points: FloatTensor, colours: readonly string[], { frame, rows, tally }: Drawable) {
  const marks: Markish[] = [
    dot(rows, {
      x: rows.map((row) => value(points, row, 0)),
      y: rows.map((row) => value(points, row, 1)),
      r: dotStyle(colours.length, frame.width < 300 ? 0.9 : 1.1).r,
      fill: { value: rows.map((row) => colours[row] ?? ""), scale: null },
      fillOpacity: 0.9,
      stroke: "none",
    }),
  ];
  return { multiple: { label, marks, x: frame.x, y: frame.y }, tally };
}
