import { UnnoiseError, at } from "../math/error.ts";
import { sizeOf, type Shape } from "../tensor/tensor.ts";

/** An array of an IDX file, the format of MNIST: whole numbers 0…255, row-major. */
export interface IdxArray {
  readonly shape: Shape;
  readonly data: Uint8Array;
}

const UNSIGNED_BYTES = 0x08;
const otherTypes: Readonly<Record<number, string>> = {
  0x09: "signed bytes",
  0x0b: "16-bit integers",
  0x0c: "32-bit integers",
  0x0d: "float32",
  0x0e: "float64",
};
/** Images have three axes, with channels four. */
const MOST_AXES = 4;

function broken(name: string, what: string): UnnoiseError {
  return new UnnoiseError("format", `${name}: ${what}`);
}

/** What the header of an IDX file says. */
interface IdxHeader {
  readonly shape: Shape;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  readonly dataStart: number;
}

/**
 * Reads the header of an IDX file of unsigned bytes.
 * @param bytes at least the header
 * @throws UnnoiseError `format` for anything else
 */
export function parseIdxHeader(bytes: Uint8Array, name: string): IdxHeader {
  if (bytes.length < 4) throw broken(name, `not an IDX file: expected at least 4 bytes, got ${bytes.length}`);
  const [zero, alsoZero, type, axes] = [at(bytes, 0), at(bytes, 1), at(bytes, 2), at(bytes, 3)];
  if (zero !== 0 || alsoZero !== 0) throw broken(name, "not an IDX file: expected its first two bytes to be 0");
  if (type !== UNSIGNED_BYTES) {
    throw broken(name, `IDX of ${otherTypes[type] ?? `unknown type ${type}`}: expected unsigned bytes (type 8)`);
  }
  if (axes < 1 || axes > MOST_AXES) throw broken(name, `IDX of ${axes} axes: expected 1…${MOST_AXES}`);
  const dataStart = 4 + 4 * axes;
  if (bytes.length < dataStart) throw broken(name, `truncated: the file ends inside its header of ${dataStart} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { shape, fileBytes: dataStart + sizeOf(shape), dataStart };
}

/**
 * Reads an IDX file of unsigned bytes (LeCun, Cortes & Burges, the MNIST database): two bytes 0, type, number of axes, extents as
 * 32-bit big-endian integers, values.
 * @param bytes the whole file, not compressed; the values share them
 * @param name names the file in errors
 * @throws UnnoiseError `format` for another type, more than four axes, or a length other than the extents say
 */
export function decodeIdx(bytes: Uint8Array, name: string): IdxArray {
  const { shape, fileBytes, dataStart } = parseIdxHeader(bytes, name);
  if (bytes.length !== fileBytes) {
    const fault = bytes.length < fileBytes ? "truncated or wrong extents" : "extra bytes at the end";
    throw broken(name, `${fault}: (${shape.join(", ")}) needs ${fileBytes} bytes, the file has ${bytes.length}`);
  }
  return { shape, data: bytes.subarray(dataStart) };
}
