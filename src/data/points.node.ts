import { basename, extname } from "node:path";
import { decodeCsv, type ColumnChoice } from "../formats/csv.ts";
import { decodeNpy } from "../formats/npy.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { dataWarnings } from "./column-findings.ts";
import { drawnDataset, type Dataset, type ToyDatasetOptions } from "./dataset.ts";
import { imageDensity, pointDensity, strokeDensity, type Generator } from "./density.ts";
import { parseDrawing } from "./drawing.ts";
import { keptColumns, noColumnsToDrop } from "./drop-columns.ts";

/** Values as a reader gives them, before they are known to be points. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly data: Float64Array;
  readonly warnings?: readonly string[];
}

const LEAST_ROWS = 2;

function decodeText(bytes: Uint8Array, path: string): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UnnoiseError("format", `${path}: not text; expected UTF-8 text, or a .npy or .png file by that name`, {
      cause,
    });
  }
}

function numberedColumns(width: number): readonly string[] {
  return Array.from({ length: width }, (_, column) => `column${column + 1}`);
}

function readText(bytes: Uint8Array, { path, drop = [] }: Loading): Table {
  const choose: ColumnChoice = (names) => keptColumns(names, drop, path);
  const { columns, rows, width, data, warnings } = decodeCsv(decodeText(bytes, path), path, choose);
  return { columns: columns ?? numberedColumns(width), rows, data, warnings };
}

/** A table without the columns that are dropped. */
function chosen(table: Table, { path, drop = [] }: Loading): Table {
  if (drop.length === 0) return table;
  const { columns, rows, data } = table;
  const kept = keptColumns(columns, drop, path);
  const out = new Float64Array(rows * kept.length);
  for (let row = 0; row < rows; row++) {
    kept.forEach((place, column) => (out[row * kept.length + column] = data[row * columns.length + place] ?? NaN));
  }
  return { ...table, columns: kept.map((place) => columns[place] ?? ""), data: out };
}

function readNpy(bytes: Uint8Array, path: string): Table {
  const { shape, data } = decodeNpy(bytes, path);
  const [rows = 0, width = 1] = shape;
  if (shape.length < 1 || shape.length > 2 || width < 1) {
    throw new UnnoiseError(
      "data",
      `${path}: expected points of shape (rows, columns) or (rows,), got (${shape.join(", ")}); reshape the array`,
    );
  }
  return { columns: numberedColumns(width), rows, data };
}

function checkValue(value: number, index: number, columns: readonly string[], path: string): void {
  if (Number.isFinite(Math.fround(value))) return;
  const row = Math.floor(index / columns.length) + 1;
  const column = (index % columns.length) + 1;
  const expected = Number.isFinite(value) ? "a number that float32 can hold (below 3.4e38)" : "a finite number";
  throw new UnnoiseError("data", `${path}, row ${row}, column ${column}: expected ${expected}, got ${value}`);
}

/** Steps of float32 that a column's range must span; below, neighbouring values of the file would become the same. */
const LEAST_RESOLUTION = 1000;

/** Refuses a column that float32 cannot tell apart, such as timestamps: a large offset with a small range. */
function checkResolution(data: Float64Array, column: number, columns: readonly string[], path: string): void {
  let [low, high] = [Infinity, -Infinity];
  for (let i = column; i < data.length; i += columns.length) {
    low = Math.min(low, data[i] ?? 0);
    high = Math.max(high, data[i] ?? 0);
  }
  const unit = Math.max(Math.abs(low), Math.abs(high)) * 2 ** -24;
  if (high === low || high - low >= LEAST_RESOLUTION * unit) return;
  const name = columns[column] ?? "";
  const advice = `subtract an offset, e.g. ${low}, from this column`;
  throw new UnnoiseError(
    "data",
    `${path}, column ${name}: values ${low} to ${high} are too close together for float32; ${advice}`,
  );
}

function toPoints({ columns, rows, data }: Table, path: string): FloatTensor {
  if (rows < LEAST_ROWS) {
    throw new UnnoiseError("data", `${path}: expected at least ${LEAST_ROWS} rows (points) to learn from, got ${rows}`);
  }
  data.forEach((value, index) => {
    checkValue(value, index, columns, path);
  });
  columns.forEach((_, column) => {
    checkResolution(data, column, columns, path);
  });
  return floatTensor(Float32Array.from(data), [rows, columns.length]);
}

/** How many points of a density are drawn, and which. Files of points have their own. */
export interface LoadOptions extends Omit<ToyDatasetOptions, "noise"> {
  /** Columns of a file of points to leave out: names, or `column1`, `column2`, …; in text they may hold words. */
  readonly drop?: readonly string[];
}

/** What a file is loaded with besides its bytes. */
interface Loading extends LoadOptions {
  readonly path: string;
  readonly ending: string;
}

type Loader = (bytes: Uint8Array, loading: Loading) => Dataset | Promise<Dataset>;

function listed(table: Table, path: string): Dataset {
  const { columns, warnings = [] } = table;
  const points = toPoints(table, path);
  return { name: basename(path), columns, points, warnings: [...warnings, ...dataWarnings({ columns, points })] };
}

function drawn(
  bytes: Uint8Array,
  { path, ending, drop, ...options }: Loading,
  columns: readonly string[],
  generate: Generator,
): Dataset {
  if (drop !== undefined) throw noColumnsToDrop(path);
  return { ...drawnDataset({ name: basename(path), columns }, generate, options), source: { ending, bytes } };
}

const PLANE = ["x", "y"];

function loadDrawing(bytes: Uint8Array, loading: Loading): Dataset {
  const { path } = loading;
  const drawing = parseDrawing(decodeText(bytes, path), path);
  if ("strokes" in drawing) return drawn(bytes, loading, PLANE, strokeDensity(drawing.strokes, drawing.spread, path));
  const { rows, columns, spread } = drawing;
  if (spread > 0) return drawn(bytes, loading, columns, pointDensity(rows, columns.length, spread));
  const table = { columns, rows: rows.length, data: Float64Array.from(rows.flat()) };
  return listed(chosen(table, loading), path);
}

/** The modules that read pictures are loaded with the first of them. */
async function loadPicture(bytes: Uint8Array, loading: Loading): Promise<Dataset> {
  const { path, ending } = loading;
  const image =
    ending === ".png"
      ? (await import("../formats/png.ts")).decodePng(bytes, path)
      : await (await import("../formats/svg.node.ts")).decodeSvg(decodeText(bytes, path), path);
  return drawn(bytes, loading, PLANE, imageDensity(image, path));
}

const loadText: Loader = (bytes, loading) => listed(readText(bytes, loading), loading.path);

const loaders: Readonly<Record<string, Loader>> = {
  ".csv": loadText,
  ".tsv": loadText,
  ".txt": loadText,
  ".npy": (bytes, loading) => listed(chosen(readNpy(bytes, loading.path), loading), loading.path),
  ".json": loadDrawing,
  ".png": loadPicture,
  ".svg": loadPicture,
};

/** Endings of files that may hold a density. */
export const densityEndings: readonly string[] = [".png", ".svg", ".json"];

/**
 * Loads points from a file: .csv, .tsv or .txt (one point a line, header or not), .npy (`[N, D]`, or `[N]` for one column) or .json
 * (drawn by hand: `[[x, y], …]`, or an object with `points` and `columns`). A density instead gives points drawn from it, and any
 * number of fresh ones: the shape in a .png or .svg picture (darkness times opacity, the longer side over [−1, 1], y up), or in
 * .json `points` or `strokes` with a `spread`, the standard deviation of the Gaussian that blurs them.
 * @param path the file
 * @param options of a density: `count` points (default 50,000) by `seed` (default 0); of points, columns to `drop`
 * @returns the points in float32; columns without a name are called column1, column2, … (x and y where points are drawn)
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, `format` or `data`, with row and column,
 * for fewer than two rows, for values that are missing, text, not finite, too large for
 * float32 or too close together for it, and for pictures that are empty or have more than 2^24 pixels
 */
export async function loadPoints(path: string, options: LoadOptions = {}): Promise<Dataset> {
  const ending = extname(path).toLowerCase();
  const load = loaders[ending];
  if (load === undefined) {
    throw new UnnoiseError("usage", `${path}: expected a file that ends in ${Object.keys(loaders).join(", ")}`);
  }
  return load(await readFileBytes(path), { ...options, path, ending });
}
