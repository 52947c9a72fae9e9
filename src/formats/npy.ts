import { UnnoiseError, at } from "../math/error.ts";
import { sizeOf, type DType, type Shape, type Tensor } from "../tensor/tensor.ts";
import { npyElement, type NpyElement } from "./npy-element.ts";
import { parseNpyHeader, type NpyHeader } from "./npy-header.ts";

/** A real-valued array of a .npy file, row-major whatever the order in the file. */
export interface NpyArray {
  readonly shape: Shape;
  readonly data: Float64Array;
  /** NumPy's type string of the file, such as `<f4`. */
  readonly dtype: string;
}

const descriptors: Readonly<Record<DType, string>> = {
  float32: "<f4",
  float64: "<f8",
  int32: "<i4",
  int64: "<i8",
  bool: "|b1",
};
const ALIGNMENT = 64;
const PREFIX_BYTES = 10;

/** A .npy file whose values are read one by one, in the order of the file. */
export interface NpyFile {
  readonly header: NpyHeader;
  readonly element: NpyElement;
}

/**
 * Reads the header of a .npy file of real numbers and checks that the values fill the file exactly.
 * @param bytes at least the header
 * @param fileBytes the size of the file
 * @throws UnnoiseError `format` for a file that is not .npy, truncated, longer than its shape says, or not of real numbers
 */
export function openNpy(bytes: Uint8Array, name: string, fileBytes: number = bytes.length): NpyFile {
  const header = parseNpyHeader(bytes, name);
  const element = npyElement(header.descr, name);
  checkLength(header, element, fileBytes, name);
  return { header, element };
}

/** Checks that the values fill the file exactly, before anything of that size is allocated. */
function checkLength(header: NpyHeader, element: NpyElement, fileBytes: number, name: string): void {
  const needed = sizeOf(header.shape) * element.bytes;
  const present = fileBytes - header.dataStart;
  if (needed === present) return;
  const fault = needed > present ? "truncated or wrong shape" : "extra bytes at the end";
  throw new UnnoiseError(
    "format",
    `${name}: ${fault}: shape (${header.shape.join(", ")}) of ${header.descr} needs ${needed} bytes, the file has ${present}`,
  );
}

/** Turns column-major values into row-major ones. */
function toRowMajor(data: Float64Array, shape: Shape): Float64Array {
  const out = new Float64Array(data.length);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let source = 0;
  for (let target = 0; target < out.length; target++) {
    out[target] = data[source] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = at(index, axis) + 1;
      source += at(strides, axis);
      index[axis] = next;
      if (next < at(shape, axis)) break;
      source -= at(strides, axis) * next;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * Reads a .npy file (NumPy format 1.0, 2.0 or 3.0) of real numbers in either byte order and either axis order.
 * @param bytes the whole file
 * @param name names the file in errors
 * @returns float64 values, row-major; 64-bit integers beyond ±2^53 are rounded to the nearest float64
 * @throws UnnoiseError `format` for a file that is not .npy, truncated, longer than its shape says, or not of real numbers
 */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const { header, element } = openNpy(bytes, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.dataStart, bytes.length - header.dataStart);
  const data = new Float64Array(sizeOf(header.shape));
  for (let position = 0; position < data.length; position++) {
    data[position] = element.read(view, position * element.bytes, element.littleEndian);
  }
  const rowMajor = header.fortranOrder && header.shape.length > 1 ? toRowMajor(data, header.shape) : data;
  return { shape: header.shape, data: rowMajor, dtype: header.descr };
}

function headerOf({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): string {
  const extents = shape.length === 1 ? `${at(shape, 0)},` : shape.join(", ");
  const dictionary = `{'descr': '${descriptors[dtype]}', 'fortran_order': False, 'shape': (${extents}), }`;
  const unpadded = PREFIX_BYTES + dictionary.length + 1;
  return `${dictionary}${" ".repeat((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT)}\n`;
}

/** What stands before the values of a .npy file of some type and shape; the values follow, row-major and little-endian. */
export function npyStart(tensor: Pick<Tensor, "dtype" | "shape">): Uint8Array {
  const header = new TextEncoder().encode(headerOf(tensor));
  const prefix = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 0xff, header.length >>> 8];
  return Uint8Array.of(...prefix, ...header);
}

/**
 * Writes a tensor as a .npy file (format 1.0, little-endian, row-major, values aligned to 64 bytes).
 * @returns the whole file; the same tensor always gives the same bytes
 */
export function encodeNpy(tensor: Tensor): Uint8Array {
  const start = npyStart(tensor);
  const values = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const out = new Uint8Array(start.length + values.length);
  out.set(start);
  out.set(values, start.length);
  return out;
}
