import { decodeCsv } from "../formats/csv.ts";
import { gunzip, isGzip } from "../formats/gunzip.node.ts";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { listFiles } from "./image-files.node.ts";
import type { ImageSources, LoadedPictures } from "./image-source.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;
/** The digits are black to white in 17 levels. */
const LARGEST = 16;
const CLASSES = 10;
/** The table of all digits takes 264 kB. */
const MOST_BYTES = 2 ** 26;

function isWhole(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

/** Checks a row of 64 levels and a label. */
function checkRow(row: Float64Array, where: string): void {
  const label = row[PIXELS] ?? NaN;
  if (row.subarray(0, PIXELS).every((level) => isWhole(level, LARGEST)) && isWhole(label, CLASSES - 1)) return;
  throw new UnnoiseError("data", `${where}: expected ${PIXELS} levels 0…${LARGEST} and a digit 0…${CLASSES - 1}`);
}

async function load(path: string): Promise<LoadedPictures> {
  const bytes = await readFileBytes(path);
  const text = new TextDecoder().decode(isGzip(bytes) ? gunzip(bytes, path, MOST_BYTES) : bytes);
  const { rows, width, data } = decodeCsv(text, path);
  if (width !== PIXELS + 1) {
    throw new UnnoiseError("data", `${path}: expected ${PIXELS} levels and a digit a line, got ${width} numbers`);
  }
  const rowOf = (index: number): Float64Array => data.subarray(index * width, (index + 1) * width);
  const where = (index: number): string => `${path}, row ${index + 1}`;
  for (let row = 0; row < rows; row++) checkRow(rowOf(row), where(row));
  return {
    count: rows,
    labels: Int32Array.from({ length: rows }, (_, row) => rowOf(row)[PIXELS] ?? 0),
    classes: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
    where,
    picture: (index) => {
      const levels = Uint8Array.from(rowOf(index).subarray(0, PIXELS));
      return Promise.resolve({ width: SIDE, height: SIDE, channels: 1, data: levels, largest: LARGEST });
    },
  };
}

/**
 * Handwritten digits of 8 × 8 pixels as scikit-learn has them: a table of 64 levels 0…16 and the digit, compressed or not.
 * @throws UnnoiseError `io` when the file is not there; loading throws `format` or `data` for another table
 */
export async function digitSources(path: string, name: string): Promise<ImageSources> {
  return { train: { name, files: await listFiles([path]), load: () => load(path) } };
}
