import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { parseJsonText } from "./json-text.ts";
import { sizeOf, type DType, type Shape } from "../tensor/tensor.ts";

/** The safetensors format's name of an element type. */
export type StoredType = "F64" | "I64" | "F32" | "I32" | "BOOL" | "F16" | "BF16" | "I16" | "U16" | "I8" | "U8";

/**
 * Element types of the safetensors format that unnoise reads: the bytes of one element, and the type that its values get in memory,
 * which holds all of them exactly.
 */
const storedTypes: Readonly<Record<StoredType, { readonly bytes: number; readonly dtype: DType }>> = {
  F64: { bytes: 8, dtype: "float64" },
  I64: { bytes: 8, dtype: "int64" },
  F32: { bytes: 4, dtype: "float32" },
  I32: { bytes: 4, dtype: "int32" },
  BOOL: { bytes: 1, dtype: "bool" },
  F16: { bytes: 2, dtype: "float32" },
  BF16: { bytes: 2, dtype: "float32" },
  I16: { bytes: 2, dtype: "int32" },
  U16: { bytes: 2, dtype: "int32" },
  I8: { bytes: 1, dtype: "int32" },
  U8: { bytes: 1, dtype: "int32" },
};

/** Where one tensor of a safetensors file lies: `begin`…`end` are byte offsets from the start of the values. */
export interface SafetensorsEntry {
  readonly name: string;
  /** The type in the file. */
  readonly stored: StoredType;
  /** The type in memory. */
  readonly dtype: DType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/** The parsed header of a safetensors file; `entries` are in the order of their bytes. */
export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Offset of the first byte of the values. */
  readonly dataStart: number;
}

/** The names under which unnoise writes. */
export const safetensorsNames: Readonly<Record<DType, StoredType>> = {
  float64: "F64",
  int64: "I64",
  float32: "F32",
  int32: "I32",
  bool: "BOOL",
};

/** Bytes of one element in memory. */
export const elementBytes: Readonly<Record<DType, number>> = { float64: 8, int64: 8, float32: 4, int32: 4, bool: 1 };

/** Bytes of the length field in front of the header; the header is padded to a multiple of the same. */
export const LENGTH_BYTES = 8;
export const METADATA_KEY = "__metadata__";
const LONGEST_HEADER = 100_000_000;

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStoredType(name: unknown): name is StoredType {
  return typeof name === "string" && Object.hasOwn(storedTypes, name);
}

function isExtents(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent) && (extent as number) >= 0);
}

function broken(file: string, what: string): UnnoiseError {
  return new UnnoiseError("format", `${file}: ${what}`);
}

/**
 * The length of the header in bytes, without the length field itself.
 * @param bytes at least the first 8 bytes of the file, or all of it
 * @param fileBytes the size of the file
 * @throws UnnoiseError `format` when the file is shorter than its header
 */
export function safetensorsHeaderLength(bytes: Uint8Array, fileBytes: number, file: string): number {
  if (bytes.length < LENGTH_BYTES) {
    throw broken(file, `not a safetensors file: expected at least ${LENGTH_BYTES} bytes, got ${fileBytes}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > Math.min(LONGEST_HEADER, fileBytes - LENGTH_BYTES)) {
    throw broken(
      file,
      `truncated or not a safetensors file: its header claims ${length} bytes, the file has ${fileBytes}`,
    );
  }
  return length;
}

/** As the format's own reader bounds them; tensors of more axes than anybody has would only fill messages. */
const headerBounds = { bytes: LONGEST_HEADER, depth: 8, keys: 2_000_000, values: 5_000_000 };
const MOST_AXES = 32;

function parseJson(bytes: Uint8Array, file: string): JsonObject {
  const place = { where: file, code: "format", advice: "the file is damaged or no safetensors" } as const;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UnnoiseError("format", `${file}: header is not JSON in UTF-8; ${place.advice}`, { cause });
  }
  const parsed = parseJsonText(text, { ...place, where: `${file}: header`, bounds: headerBounds });
  if (!isObject(parsed)) throw broken(file, "header: expected a JSON object of tensors");
  return parsed;
}

function parseMetadata(value: unknown, file: string): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) {
    return value as Readonly<Record<string, string>>;
  }
  throw broken(file, `header: expected ${METADATA_KEY} to hold only text`);
}

function parseEntry(name: string, value: unknown, file: string): SafetensorsEntry {
  const where = `tensor ${shown(name)}`;
  if (!isObject(value) || Object.keys(value).sort().join() !== "data_offsets,dtype,shape") {
    throw broken(file, `${where}: expected exactly dtype, shape and data_offsets`);
  }
  const { dtype: stored, shape, data_offsets: offsets } = value;
  if (!isStoredType(stored)) {
    const known = Object.keys(storedTypes).join(", ");
    throw broken(file, `${where}: dtype ${shown(stored)} is not supported: expected ${known}`);
  }
  if (!isExtents(shape) || shape.length > MOST_AXES) {
    throw broken(file, `${where}: expected shape to be a list of integers ≥ 0, at most ${MOST_AXES}`);
  }
  if (!isExtents(offsets) || offsets.length !== 2)
    throw broken(file, `${where}: expected data_offsets to be two integers ≥ 0`);
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== sizeOf(shape) * storedTypes[stored].bytes) {
    throw broken(file, `${where}: shape [${shape.join(", ")}] does not fill its ${end - begin} bytes`);
  }
  return { name, stored, dtype: storedTypes[stored].dtype, shape, begin, end };
}

/** Checks that the tensors lie end to end and fill the values exactly: no gap, no overlap, nothing behind. */
function checkContiguous(entries: readonly SafetensorsEntry[], valueBytes: number, file: string): void {
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      throw broken(file, `tensor ${shown(name)}: expected its bytes to start at ${expected}, got ${begin}`);
    }
    expected = end;
  }
  if (expected !== valueBytes) {
    const fault = expected > valueBytes ? "truncated" : "extra bytes at the end";
    throw broken(file, `${fault}: the tensors need ${expected} bytes, the file has ${valueBytes}`);
  }
}

/**
 * Reads and checks the header of a safetensors file.
 * @param bytes at least everything up to the values
 * @param fileBytes the size of the file
 * @throws UnnoiseError `format` for any breach of the format
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  file: string,
  fileBytes: number = bytes.length,
): SafetensorsHeader {
  const dataStart = LENGTH_BYTES + safetensorsHeaderLength(bytes, fileBytes, file);
  const { [METADATA_KEY]: metadata, ...tensors } = parseJson(bytes.subarray(LENGTH_BYTES, dataStart), file);
  const entries = Object.entries(tensors)
    .map(([name, value]) => parseEntry(name, value, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkContiguous(entries, fileBytes - dataStart, file);
  return { entries, metadata: parseMetadata(metadata, file), dataStart };
}
