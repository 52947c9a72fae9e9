import { shown } from "../math/shown.ts";
import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type Tensor, type TypedArrays } from "../tensor/tensor.ts";
import { bfloatsToFloats, halvesToFloats } from "./half-float.ts";
import type { SafetensorsEntry, StoredType } from "./safetensors-header.ts";

/** Makes the values of one tensor from its bytes, at an offset that is a multiple of the element's size. */
type Maker = (buffer: ArrayBufferLike, offset: number, length: number) => TypedArrays[keyof TypedArrays];

const makers: Readonly<Record<StoredType, Maker>> = {
  F64: (buffer, offset, length) => new Float64Array(buffer, offset, length),
  I64: (buffer, offset, length) => new BigInt64Array(buffer, offset, length),
  F32: (buffer, offset, length) => new Float32Array(buffer, offset, length),
  I32: (buffer, offset, length) => new Int32Array(buffer, offset, length),
  BOOL: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  F16: (buffer, offset, length) => halvesToFloats(new Uint16Array(buffer, offset, length)),
  BF16: (buffer, offset, length) => bfloatsToFloats(new Uint16Array(buffer, offset, length)),
  I16: (buffer, offset, length) => Int32Array.from(new Int16Array(buffer, offset, length)),
  U16: (buffer, offset, length) => Int32Array.from(new Uint16Array(buffer, offset, length)),
  I8: (buffer, offset, length) => Int32Array.from(new Int8Array(buffer, offset, length)),
  U8: (buffer, offset, length) => Int32Array.from(new Uint8Array(buffer, offset, length)),
};

/** No element is wider. */
const WIDEST = 8;

/**
 * The tensor of an entry.
 * @param raw its bytes; shared by the tensor where their type is the same in memory and they are aligned
 * @throws UnnoiseError `format` for a truth value other than 0 and 1
 */
export function tensorOf({ name, dtype, stored, shape }: SafetensorsEntry, raw: Uint8Array, file: string): Tensor {
  if (stored === "BOOL" && raw.some((byte) => byte > 1)) {
    throw new UnnoiseError("format", `${file}: tensor ${shown(name)}: expected bytes 0 and 1 for BOOL`);
  }
  const count = sizeOf(shape);
  const bytesEach = count === 0 ? WIDEST : raw.length / count;
  const aligned = raw.byteOffset % bytesEach === 0 ? raw : raw.slice();
  return { dtype, shape, data: makers[stored](aligned.buffer, aligned.byteOffset, count) };
}

/** The element type in the file of each tensor, by name. */
export function storedOf(entries: readonly SafetensorsEntry[]): Map<string, StoredType> {
  return new Map(entries.map(({ name, stored }) => [name, stored]));
}
