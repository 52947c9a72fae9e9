import { extname } from "node:path";
import { parseJsonText } from "../formats/json-text.ts";
import { decodeCsv } from "../formats/csv.ts";
import { decodeNpy } from "../formats/npy.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";

type Reader = (bytes: Uint8Array, path: string) => readonly number[];

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UnnoiseError("format", `${path}: not text; expected betas saved as UTF-8 text, or a .npy file`, {
      cause,
    });
  }
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((each) => typeof each === "number");

function readJson(bytes: Uint8Array, path: string): readonly number[] {
  const found = parseJsonText(decodeText(bytes, path), { where: path, code: "format" });
  const betas: unknown = typeof found === "object" && found !== null && "betas" in found ? found.betas : found;
  if (isNumbers(betas)) return betas;
  throw new UnnoiseError("data", `${path}: expected an array of numbers, or an object whose key betas holds one`);
}

function oneColumn(data: Float64Array, width: number, path: string): readonly number[] {
  if (width === 1) return [...data];
  throw new UnnoiseError("data", `${path}: expected one column of betas, got ${width}; keep the column of β_t alone`);
}

function readText(bytes: Uint8Array, path: string): readonly number[] {
  const { data, width } = decodeCsv(decodeText(bytes, path), path);
  return oneColumn(data, width, path);
}

function readNpy(bytes: Uint8Array, path: string): readonly number[] {
  const { data, shape } = decodeNpy(bytes, path);
  const [count = 1] = shape;
  if (shape.length === 1 || data.length === count) return [...data];
  throw new UnnoiseError("data", `${path}: expected betas of shape (T,), got (${shape.join(", ")}); reshape the array`);
}

const readers: Readonly<Record<string, Reader>> = {
  ".json": readJson,
  ".csv": readText,
  ".txt": readText,
  ".npy": readNpy,
};

/**
 * Loads the betas of a schedule from a file: .json (an array, or an object with the key betas), .csv or .txt (one a line, header
 * or not) or .npy (shape (T,)).
 * @param path the file
 * @returns β_1…β_T as they stand there, in float64
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, `format` or `data` for other content
 */
export async function loadBetas(path: string): Promise<readonly number[]> {
  const read = readers[extname(path).toLowerCase()];
  if (read === undefined) {
    throw new UnnoiseError("usage", `${path}: expected a file that ends in ${Object.keys(readers).join(", ")}`);
  }
  const betas = read(await readFileBytes(path), path);
  if (betas.length === 0) throw new UnnoiseError("data", `${path}: expected at least one beta, got none`);
  return betas;
}
