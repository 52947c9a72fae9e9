import { parse } from "csv-parse/browser/esm/sync";
import { UnnoiseError, at } from "../math/error.ts";
import { shortened, shown } from "../math/shown.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { faultOf, readCell } from "./csv-cell.ts";
import { findDelimiter, squeezeSpaces } from "./csv-delimiter.ts";
import { shortestFloat32 } from "./float-text.ts";

/** A table of finite numbers read from text. */
export interface CsvTable {
  /** Names of the columns, if the file has a header. */
  readonly columns: readonly string[] | undefined;
  readonly rows: number;
  readonly width: number;
  /** Values `[rows, width]`, row-major. */
  readonly data: Float64Array;
  /** What was taken in another way than it stands there, one line each. */
  readonly warnings: readonly string[];
}

/** A name that pandas gives to the numbers of rows, or none. */
const ROW_NUMBERS = /^(?:unnamed: ?\d*)?$/i;

/** Whether cells are 0, 1, 2, …, as pandas names columns that nobody named. */
const areCounted = (cells: readonly string[]): boolean =>
  cells.length > 0 && cells.every((cell, i) => cell === String(i));

/** What a column without a name is called; columns are counted from 0. */
const numbered = (place: number): string => `column${place + 1}`;

/** Which columns of a table are read. */
export type ColumnChoice = (names: readonly string[]) => number[];

/** Collects records into a table and refuses the first cell that does not belong there. */
class TableBuilder {
  readonly #name: string;
  readonly #choose: ColumnChoice | undefined;
  /** Cells of a line. */
  #cells = 0;
  /** Which cells of a line the columns are. */
  #places: number[] = [];
  #values: number[] = [];
  /** The first gap of each column that has any: an error, unless the column has nothing else. */
  readonly #gaps = new Map<number, UnnoiseError>();
  readonly #filled = new Set<number>();
  readonly #warnings: string[] = [];
  columns: readonly string[] | undefined;
  width = 0;
  /** Whether there is a header whose first cell names nothing. */
  #unnamed = false;

  constructor(name: string, choose?: ColumnChoice) {
    this.#name = name;
    this.#choose = choose;
  }

  add(record: readonly string[], line: number): void {
    if (this.#cells === 0 && this.#isHeader(record)) return;
    if (record.length !== this.#cells) {
      throw this.#fault(line, `expected ${this.#cells} cells as in the first row, got ${record.length}`);
    }
    this.#places.forEach((place, column) => this.#values.push(this.#number(record[place] ?? "", line, column)));
  }

  /** Takes the first record for what the columns are, and for their names where it is a header. */
  #isHeader(record: readonly string[]): boolean {
    this.#cells = record.length;
    const isNumbered = record[0] === "" && areCounted(record.slice(1));
    const isText = (cells: readonly string[]): boolean => cells.some((cell) => readCell(cell).kind === "text");
    const names = record.map((cell, place) => (cell === "" ? numbered(place) : cell));
    const hasNames = isNumbered || areCounted(record) || isText(record);
    this.#places = this.#choose?.(hasNames ? names : names.map((_, place) => numbered(place))) ?? [...names.keys()];
    this.width = this.#places.length;
    if (!isNumbered && !isText(this.#places.map((place) => record[place] ?? ""))) return false;
    this.#unnamed = this.#places[0] === 0 && ROW_NUMBERS.test(record[0] ?? "") && this.width > 1;
    this.columns = this.#places.map((place) => names[place] ?? "");
    return true;
  }

  table(): CsvTable {
    if (this.#values.length === 0) {
      const found = this.columns === undefined ? "the file is empty" : "only a header";
      throw new UnnoiseError("format", `${this.#name}: no rows of numbers (${found}); expected one point a line`);
    }
    this.#dropEmpty();
    this.#dropRowNumbers();
    this.#takeNumberedHeader();
    const data = Float64Array.from(this.#values);
    const { columns, width } = this;
    return { columns, rows: data.length / width, width, data, warnings: this.#warnings };
  }

  #column(index: number): number[] {
    return this.#values.filter((_, i) => i % this.width === index);
  }

  #drop(index: number): void {
    this.#values = this.#values.filter((_, i) => i % this.width !== index);
    this.columns = this.columns?.filter((_, column) => column !== index);
    this.#places.splice(index, 1);
    this.width--;
  }

  /** Leaves out columns without any number; a gap in another column is an error. */
  #dropEmpty(): void {
    const empty = [...this.#gaps.keys()].filter((column) => !this.#filled.has(column)).sort((a, b) => b - a);
    const [wrong] = [...this.#gaps].filter(([column]) => this.#filled.has(column));
    if (wrong) throw wrong[1];
    const isTable = this.#values.length > this.width;
    const [first] = this.#gaps.values();
    if (first && (!isTable || empty.length === this.width)) throw first;
    for (const column of empty) {
      this.#warnings.push(`${this.#name}: ${this.#title(column)} is empty in every row, and left out`);
      this.#drop(column);
    }
  }

  /** Leaves out a first column without a name that only numbers the rows, as pandas writes it. */
  #dropRowNumbers(): void {
    if (!this.#unnamed || this.width < 2) return;
    const numbers = this.#column(0);
    const [first = NaN] = numbers;
    if (numbers.length < 2 || numbers.some((number, row) => number !== first + row)) return;
    this.#warnings.push(
      `${this.#name}: the first column, without a name, is the row number, and left out; give it a name to keep it`,
    );
    this.#drop(0);
    if (this.columns && areCounted(this.columns)) this.columns = undefined;
  }

  /** A first row 0, 1, 2, … above numbers with decimals in every column is a header, as pandas writes it where nobody named columns. */
  #takeNumberedHeader(): void {
    const { width } = this;
    if (this.columns !== undefined || width < 2 || this.#values.length <= width) return;
    if (this.#values.slice(0, width).some((value, column) => value !== column)) return;
    const rest = this.#values.slice(width);
    const isWhole = Array.from({ length: width }, (_, column) =>
      rest.every((value, i) => i % width !== column || Number.isInteger(value)),
    );
    if (isWhole.some((whole) => whole)) {
      const first = shortened(Array.from({ length: width }, (_, i) => i).join(", "), 60);
      this.#warnings.push(
        `${this.#name}: the first row, ${first}, is taken as a point; if it is a header, name the columns by words`,
      );
      return;
    }
    this.#warnings.push(
      `${this.#name}: the first row counts the columns, and is taken as a header, as pandas writes it`,
    );
    this.#values = rest;
  }

  #title(column: number): string {
    const title = this.columns?.[column];
    return `column ${(this.#places[column] ?? column) + 1}${title === undefined ? "" : ` (${shown(title)})`}`;
  }

  #number(text: string, line: number, column: number): number {
    const cell = readCell(text);
    if (cell.kind === "number") {
      this.#filled.add(column);
      return cell.value;
    }
    const fault = this.#fault(line, `${this.#title(column)}: ${faultOf(text, cell.kind, this.#dropWord(column))}`);
    if (cell.kind !== "gap") throw fault;
    if (this.#filled.has(column)) throw fault;
    if (!this.#gaps.has(column)) this.#gaps.set(column, fault);
    return NaN;
  }

  /** What a column is called where it can be left out. */
  #dropWord(column: number): string | undefined {
    if (!this.#choose) return undefined;
    const place = this.#places[column] ?? column;
    const name = this.columns?.[column];
    return name !== undefined && /^\w[\w.]*$/.test(name) ? name : numbered(place);
  }

  #fault(line: number, what: string): UnnoiseError {
    return new UnnoiseError("format", `${this.#name}, line ${line}: ${what}`);
  }
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
}

/**
 * Reads a table of numbers from text: comma, semicolon, tab or white space between cells (found by looking), with or without
 * a header (the first row is one if any of its cells is text), quotes as in RFC 4180, any line ending, a byte-order mark.
 * Blank lines and lines that start with `#` are skipped.
 * @param text the whole file
 * @param name names the file in errors
 * @param choose which columns are read, numbers ascending from 0, by the names of all; the others may hold text
 * @throws UnnoiseError `format`, with line and column, for text, gaps, NaN, infinity, ragged rows, no rows, broken quotes
 */
export function decodeCsv(text: string, name: string, choose?: ColumnChoice): CsvTable {
  const plain = text.replace(/^\uFEFF/, "");
  const delimiter = findDelimiter(plain);
  const builder = new TableBuilder(name, choose);
  try {
    parse(delimiter === " " ? squeezeSpaces(plain) : plain, {
      delimiter,
      record_delimiter: ["\r\n", "\n", "\r"],
      comment: "#",
      comment_no_infix: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: (record: readonly string[], { lines }) => {
        builder.add(record, lines);
        return null;
      },
    });
  } catch (cause) {
    if (cause instanceof UnnoiseError) throw cause;
    throw new UnnoiseError("format", `${name}: not a readable table: ${oneLine(cause)}`, { cause });
  }
  return builder.table();
}

function quoteName(name: string): string {
  return /[",;\s#]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

function checkColumns(columns: readonly string[], tensor: FloatTensor): void {
  const width = tensor.shape[1];
  if (tensor.shape.length !== 2 || columns.length !== width) {
    throw new UnnoiseError(
      "usage",
      `encodeCsv: expected values [rows, columns] and a name for each column, got shape [${tensor.shape.join(", ")}] and ${columns.length} names`,
    );
  }
  if (!columns.some((name) => readCell(name.trim()).kind === "text")) {
    throw new UnnoiseError(
      "usage",
      "encodeCsv: expected a column name that is not a number, or the header reads as a row",
    );
  }
}

/**
 * Writes points as comma-separated text with a header, in as few digits as give back the same float32.
 * @param columns one name for each column; at least one is not a number
 * @param tensor values `[rows, columns]`
 * @throws UnnoiseError `usage` when the names do not fit
 */
export function encodeCsv(columns: readonly string[], tensor: FloatTensor): string {
  checkColumns(columns, tensor);
  return csvHeader(columns) + csvRows(tensor);
}

/** The line of names that `encodeCsv` begins with. */
export function csvHeader(columns: readonly string[]): string {
  return `${columns.map(quoteName).join(",")}\n`;
}

/** Values `[rows, columns]` as the lines that follow the header. */
export function csvRows({ data, shape }: FloatTensor): string {
  const width = at(shape, 1);
  let lines = "";
  for (let start = 0; start < data.length; start += width) {
    for (let column = 0; column < width; column++) {
      lines += `${shortestFloat32(data[start + column] as number)}${column + 1 < width ? "," : "\n"}`;
    }
  }
  return lines;
}

/**
 * Writes a table of words and numbers as comma-separated text with a header; null is an empty cell.
 * @param rows cells in the order of the header
 */
export function encodeCsvTable(
  header: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  const line = (cells: readonly (string | number | null)[]): string =>
    cells.map((cell) => quoteName(cell === null ? "" : String(cell))).join(",");
  return `${[header, ...rows].map(line).join("\n")}\n`;
}
