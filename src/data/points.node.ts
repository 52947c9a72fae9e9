import { basename, extname } from "node:path";
import { decodeCsv } from "../formats/csv.ts";
import { decodeNpy } from "../formats/npy.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";

/** Values as a reader gives them, before they are known to be points. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly data: Float64Array;
}

const LEAST_ROWS = 2;

function decodeText(bytes: Uint8Array, path: string): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UnnoiseError("format", `${path}: not text; expected a table saved as UTF-8 text, or a .npy file`, {
      cause,
    });
  }
}

function numberedColumns(width: number): readonly string[] {
  return Array.from({ length: width }, (_, column) => `column${column + 1}`);
}

function readText(bytes: Uint8Array, path: string): Table {
  const { columns, rows, width, data } = decodeCsv(decodeText(bytes, path), path);
  return { columns: columns ?? numberedColumns(width), rows, data };
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

const readers: Readonly<Record<string, (bytes: Uint8Array, path: string) => Table>> = {
  ".csv": readText,
  ".tsv": readText,
  ".txt": readText,
  ".npy": readNpy,
};

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

/**
 * Loads points from a file: .csv, .tsv or .txt (one point a line, header or not), or .npy (`[N, D]`, or `[N]` for one column).
 * @param path the file
 * @returns the points in float32; columns without a name are called column1, column2, …
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, `format` or `data`, with row and column,
 * for fewer than two rows and for values that are missing, text, not finite, too large for
 * float32 or too close together for it
 */
export async function loadPoints(path: string): Promise<Dataset> {
  const read = readers[extname(path).toLowerCase()];
  if (read === undefined) {
    throw new UnnoiseError("usage", `${path}: expected a file that ends in ${Object.keys(readers).join(", ")}`);
  }
  const table = read(await readFileBytes(path), path);
  return { name: basename(path), columns: table.columns, points: toPoints(table, path) };
}
