import { UnnoiseError } from "../math/error.ts";
import { sizeOf, type DType, type Tensor } from "../tensor/tensor.ts";
import {
  LENGTH_BYTES,
  METADATA_KEY,
  elementBytes,
  parseSafetensorsHeader,
  safetensorsNames,
  type SafetensorsEntry,
} from "./safetensors-header.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Record<string, string>;
}

const views: { readonly [D in DType]: (buffer: ArrayBufferLike, offset: number, length: number) => Tensor<D>["data"] } =
  {
    float32: (buffer, offset, length) => new Float32Array(buffer, offset, length),
    float64: (buffer, offset, length) => new Float64Array(buffer, offset, length),
    int32: (buffer, offset, length) => new Int32Array(buffer, offset, length),
    int64: (buffer, offset, length) => new BigInt64Array(buffer, offset, length),
    bool: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  };

function readTensor({ dtype, shape, begin, end, name }: SafetensorsEntry, values: Uint8Array, file: string): Tensor {
  const raw = values.subarray(begin, end);
  const aligned = raw.byteOffset % elementBytes[dtype] === 0 ? raw : raw.slice();
  if (dtype === "bool" && raw.some((byte) => byte > 1)) {
    throw new UnnoiseError("format", `${file}: tensor ${JSON.stringify(name)}: expected bytes 0 and 1 for BOOL`);
  }
  return { dtype, shape, data: views[dtype](aligned.buffer, aligned.byteOffset, sizeOf(shape)) };
}

/**
 * Reads a safetensors file strictly: the tensors must lie end to end and fill the file.
 * @param bytes the whole file; a tensor whose bytes are aligned to its element size shares them, others are copied
 * @param name names the file in errors
 * @returns the tensors in the order of their bytes, and the metadata (empty without)
 * @throws UnnoiseError `format` for a damaged file or a dtype other than F32, F64, I32, I64, BOOL
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): Safetensors {
  const { entries, metadata, dataStart } = parseSafetensorsHeader(bytes, name);
  const values = bytes.subarray(dataStart);
  const tensors = new Map(entries.map((entry) => [entry.name, readTensor(entry, values, name)]));
  return { tensors, metadata };
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
      `safetensors: tensor ${JSON.stringify(name)} of shape [${shape.join(", ")}] needs ${sizeOf(shape)} values, got ${data.length}`,
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
