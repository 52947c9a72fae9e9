import { parse } from "csv-parse/browser/esm/sync";
import { UnnoiseError } from "../math/error.ts";
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
}

/** Collects records into a table and refuses the first cell that does not belong there. */
class TableBuilder {
  readonly #name: string;
  readonly #values: number[] = [];
  columns: readonly string[] | undefined;
  width = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(record: readonly string[], line: number): void {
    if (this.width === 0) {
      this.width = record.length;
      if (record.some((cell) => readCell(cell).kind === "text")) {
        this.columns = record.map((cell, column) => (cell === "" ? `column${column + 1}` : cell));
        return;
      }
    }
    if (record.length !== this.width) {
      throw this.#fault(line, `expected ${this.width} cells as in the first row, got ${record.length}`);
    }
    record.forEach((cell, column) => this.#values.push(this.#number(cell, line, column)));
  }

  table(): CsvTable {
    if (this.#values.length === 0) {
      const found = this.columns === undefined ? "the file is empty" : "only a header";
      throw new UnnoiseError("format", `${this.#name}: no rows of numbers (${found}); expected one point a line`);
    }
    const data = Float64Array.from(this.#values);
    return { columns: this.columns, rows: data.length / this.width, width: this.width, data };
  }

  #number(text: string, line: number, column: number): number {
    const cell = readCell(text);
    if (cell.kind === "number") return cell.value;
    const title = this.columns?.[column];
    const where = `column ${column + 1}${title === undefined ? "" : ` (${JSON.stringify(title)})`}`;
    throw this.#fault(line, `${where}: ${faultOf(text, cell.kind)}`);
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
 * @throws UnnoiseError `format`, with line and column, for text, gaps, NaN, infinity, ragged rows, no rows, broken quotes
 */
export function decodeCsv(text: string, name: string): CsvTable {
  const plain = text.replace(/^\uFEFF/, "");
  const delimiter = findDelimiter(plain);
  const builder = new TableBuilder(name);
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
  const width = columns.length;
  const lines = [columns.map(quoteName).join(",")];
  for (let start = 0; start < tensor.data.length; start += width) {
    lines.push(Array.from(tensor.data.subarray(start, start + width), shortestFloat32).join(","));
  }
  return `${lines.join("\n")}\n`;
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
