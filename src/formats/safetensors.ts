import { shown } from "../math/shown.ts";
import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import {
  LENGTH_BYTES,
  METADATA_KEY,
  elementBytes,
  parseSafetensorsHeader,
  safetensorsNames,
  type StoredType,
} from "./safetensors-header.ts";
import { storedOf, tensorOf } from "./safetensors-values.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Record<string, string>;
  /** The element type that each tensor has in the file, such as `F16`. */
  readonly stored: Map<string, StoredType>;
}

/**
 * Reads a safetensors file strictly: the tensors must lie end to end and fill the file.
 * @param bytes the whole file; a tensor whose bytes are as in memory and aligned to its element size shares them, others are copied
 * @param name names the file in errors
 * @returns the tensors in the order of their bytes, and the metadata (empty without): F16 and BF16 as float32, 8- and 16-bit
 * integers as int32, both exactly
 * @throws UnnoiseError `format` for a damaged file or a dtype other than F64, F32, F16, BF16, I64, I32, I16, U16, I8, U8, BOOL
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): Safetensors {
  const { entries, metadata, dataStart } = parseSafetensorsHeader(bytes, name);
  const values = bytes.subarray(dataStart);
  const tensors = new Map(
    entries.map((entry) => [entry.name, tensorOf(entry, values.subarray(entry.begin, entry.end), name)]),
  );
  return { tensors, metadata, stored: storedOf(entries) };
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Wide elements first, so that every tensor starts at a multiple of its element size; then by name. */
function storageOrder(tensors: ReadonlyMap<string, Tensor>): readonly (readonly [string, Tensor])[] {
  return [...tensors].sort(
    ([nameA, a], [nameB, b]) => elementBytes[b.dtype] - elementBytes[a.dtype] || byText(nameA, nameB),
  );
}

function checkTensor(name: string, { shape, data }: Tensor): void {
  if (name === METADATA_KEY)
    throw new UnnoiseError("usage", `safetensors: a tensor cannot have the name ${METADATA_KEY}`);
  if (data.length !== sizeOf(shape)) {
    throw new UnnoiseError(
      "data",
      `safetensors: tensor ${shown(name)} of shape [${shape.join(", ")}] needs ${sizeOf(shape)} values, got ${data.length}`,
    );
  }
}

function encodeHeader(
  ordered: readonly (readonly [string, Tensor])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const fields: [string, unknown][] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => byText(a, b));
  if (texts.length > 0) fields.push([METADATA_KEY, Object.fromEntries(texts)]);
  let offset = 0;
  for (const [name, tensor] of ordered) {
    checkTensor(name, tensor);
    const end = offset + tensor.data.byteLength;
    fields.push([name, { dtype: safetensorsNames[tensor.dtype], shape: tensor.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const padded = new Uint8Array(Math.ceil(json.length / LENGTH_BYTES) * LENGTH_BYTES).fill(0x20);
  padded.set(json);
  return padded;
}

/**
 * Writes tensors as a safetensors file.
 * @param tensors by name; the order of the map does not matter
 * @param metadata texts stored beside the tensors
 * @returns the whole file, header padded to 8 bytes; equal content always gives the same bytes
 * @throws UnnoiseError `data` when a tensor's values do not fill its shape, `usage` for the reserved name `__metadata__`
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = storageOrder(tensors);
  const header = encodeHeader(ordered, metadata);
  const valueBytes = ordered.reduce((total, [, { data }]) => total + data.byteLength, 0);
  const out = new Uint8Array(LENGTH_BYTES + header.length + valueBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, LENGTH_BYTES);
  let offset = LENGTH_BYTES + header.length;
  for (const [, { data }] of ordered) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return out;
}
