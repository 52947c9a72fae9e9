import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";

/** What the header of a .npy file says. */
export interface NpyHeader {
  /** NumPy's type string, such as `<f8`. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Offset of the first byte of the values. */
  readonly dataStart: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
/** As many as NumPy's arrays have. */
const MOST_AXES = 64;
/** NumPy writes about a hundred bytes; its own reader refuses more than 10,000 unless it is told to trust the file. */
const LONGEST_HEADER = 65_536;
const VERSION_AND_LENGTH = { 1: 4, 2: 6, 3: 6 } as const;

function broken(name: string, what: string): UnnoiseError {
  return new UnnoiseError("format", `${name}: ${what}`);
}

/** The header's text and where it ends; the length field has 2 bytes in version 1.0 and 4 later. */
function headerText(bytes: Uint8Array, name: string): { text: string; end: number } {
  if (MAGIC.some((byte, position) => bytes[position] !== byte)) {
    throw broken(name, "not a .npy file: expected its first six bytes to be 93 'NUMPY'");
  }
  if (bytes.length < 12) throw broken(name, `truncated: the file ends after ${bytes.length} bytes, inside its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint8(6);
  if ((major !== 1 && major !== 2 && major !== 3) || view.getUint8(7) !== 0) {
    throw broken(name, `.npy version ${major}.${view.getUint8(7)} is not known: expected 1.0, 2.0 or 3.0`);
  }
  const start = MAGIC.length + VERSION_AND_LENGTH[major];
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end - start > LONGEST_HEADER) {
    throw broken(name, `header: expected at most ${LONGEST_HEADER} bytes, got ${end - start}`);
  }
  if (end > bytes.length) {
    throw broken(name, `truncated: the header needs ${end} bytes, the file has ${bytes.length}`);
  }
  return { text: new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes.subarray(start, end)), end };
}

function parseExtent(text: string, name: string): number {
  const digits = text.trim().replace(/L$/, "");
  const extent = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(extent)) {
    throw broken(name, `header: expected an extent of the shape to be an integer ≥ 0, got ${shown(text)}`);
  }
  return extent;
}

function parseShape(text: string, name: string): readonly number[] {
  const body = text.trim().replace(/,$/, "");
  const extents = body === "" ? [] : body.split(",");
  if (extents.length > MOST_AXES) {
    throw broken(name, `header: expected a shape of at most ${MOST_AXES} axes, got ${extents.length}`);
  }
  return extents.map((extent) => parseExtent(extent, name));
}

/**
 * Reads the header of a .npy file (NumPy format 1.0, 2.0, 3.0).
 * @throws UnnoiseError `format` for anything but a complete header
 */
export function parseNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const { text, end } = headerText(bytes, name);
  const dictionary = text.trim();
  if (!dictionary.startsWith("{") || !dictionary.endsWith("}"))
    throw broken(name, "header: expected a Python dictionary");
  if (/'descr'\s*:\s*[[(]/.test(text)) {
    throw broken(name, "structured arrays are not supported: save a plain array of numbers");
  }
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([^()]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw broken(name, "header: expected the keys 'descr', 'fortran_order' and 'shape'");
  }
  return { descr, fortranOrder: order === "True", shape: parseShape(shape, name), dataStart: end };
}
