import { Inflate } from "fflate";
import { UnnoiseError } from "../math/error.ts";
import { crc32 } from "./crc32.ts";

const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 65_535;
/** Stands for a number that is too large for its field. */
const TOO_LARGE = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
/** Deflate gives at most 258 bytes for two bits. */
const MOST_EXPANSION = 1032;

/** Where one file of an archive lies, and what its directory says of it. */
interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
  readonly encrypted: boolean;
}

function broken(archive: string, what: string): UnnoiseError {
  return new UnnoiseError("format", `${archive}: ${what}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Where the record at the end of the archive starts; it is found by looking, as a comment may follow. */
function findEnd(view: DataView, archive: string): number {
  const first = Math.max(0, view.byteLength - END_BYTES - LONGEST_COMMENT);
  for (let start = view.byteLength - END_BYTES; start >= first; start--) {
    if (view.getUint32(start, true) === END_SIGNATURE) return start;
  }
  throw broken(archive, "truncated or not a ZIP archive: its directory is missing");
}

function readEntry(bytes: Uint8Array, start: number, archive: string): { entry: ZipEntry; next: number } {
  const view = viewOf(bytes);
  if (start + ENTRY_BYTES > bytes.length || view.getUint32(start, true) !== ENTRY_SIGNATURE) {
    throw broken(archive, "damaged ZIP archive: its directory is broken");
  }
  const [nameBytes, extraBytes] = [view.getUint16(start + 28, true), view.getUint16(start + 30, true)];
  const nameStart = start + ENTRY_BYTES;
  const entry = {
    name: new TextDecoder().decode(bytes.subarray(nameStart, nameStart + nameBytes)),
    encrypted: (view.getUint16(start + 8, true) & 1) === 1,
    method: view.getUint16(start + 10, true),
    checksum: view.getUint32(start + 16, true),
    packed: view.getUint32(start + 20, true),
    size: view.getUint32(start + 24, true),
    local: view.getUint32(start + 42, true),
  };
  return { entry, next: nameStart + nameBytes + extraBytes + view.getUint16(start + 32, true) };
}

function readDirectory(bytes: Uint8Array, archive: string): ZipEntry[] {
  const view = viewOf(bytes);
  const end = findEnd(view, archive);
  const count = view.getUint16(end + 10, true);
  const entries: ZipEntry[] = [];
  let start = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry(bytes, start, archive);
    entries.push(entry);
    start = next;
  }
  return entries;
}

function checkEntry({ method, packed, size, local, encrypted }: ZipEntry, where: string): void {
  if ([packed, size, local].includes(TOO_LARGE)) throw broken(where, "over 4 GB: save large arrays one by one as .npy");
  if (encrypted) throw broken(where, "encrypted: save it without a password");
  if (method !== STORED && method !== DEFLATED) throw broken(where, `compression method ${method}: expected 0 or 8`);
  if (size > (method === STORED ? packed : MOST_EXPANSION * packed + 64)) {
    throw broken(where, `damaged ZIP archive: ${packed} bytes cannot hold the ${size} that its directory claims`);
  }
}

function packedBytes(bytes: Uint8Array, { local, packed }: ZipEntry, where: string): Uint8Array {
  const view = viewOf(bytes);
  if (local + LOCAL_BYTES > bytes.length || view.getUint32(local, true) !== LOCAL_SIGNATURE) {
    throw broken(where, "damaged ZIP archive: the file is not where its directory says");
  }
  const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packed > bytes.length) throw broken(where, "truncated ZIP archive");
  return bytes.subarray(start, start + packed);
}

/** Compressed bytes that are decompressed in one go: they make 16 MB at most. */
const PIECE = 2 ** 14;

/**
 * Decompresses the first `most` bytes, or all where there are fewer.
 * @param isAll whether there must not be more
 */
function inflate(packed: Uint8Array, most: number, where: string, isAll: boolean): Uint8Array {
  const out = new Uint8Array(most);
  let bytes = 0;
  const inflater = new Inflate((piece) => {
    out.set(piece.subarray(0, Math.max(0, most - bytes)), Math.min(bytes, most));
    bytes += piece.length;
  });
  try {
    for (let start = 0; start < packed.length && (isAll ? bytes <= most : bytes < most); start += PIECE) {
      inflater.push(packed.subarray(start, start + PIECE), start + PIECE >= packed.length);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnnoiseError("format", `${where}: damaged ZIP archive (${reason}); download or save the archive again`, {
      cause,
    });
  }
  if (isAll && bytes > most) {
    throw broken(where, `damaged ZIP archive: more than the ${most} bytes that its directory claims`);
  }
  return out.subarray(0, Math.min(bytes, most));
}

function extract(bytes: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  checkEntry(entry, where);
  const packed = packedBytes(bytes, entry, where);
  const content = entry.method === STORED ? packed : inflate(packed, entry.size, where, true);
  if (content.length !== entry.size || crc32(content) !== entry.checksum) {
    throw broken(
      where,
      "damaged ZIP archive: the content does not fit its checksum; download or save the archive again",
    );
  }
  return content;
}

function extractStart(bytes: Uint8Array, entry: ZipEntry, where: string, most: number): Uint8Array {
  checkEntry(entry, where);
  const packed = packedBytes(bytes, entry, where);
  return entry.method === STORED ? packed.subarray(0, most) : inflate(packed, Math.min(most, entry.size), where, false);
}

/** A file inside a ZIP archive. */
export interface ZippedFile {
  readonly name: string;
  /** Bytes of the content, as the directory claims. */
  readonly size: number;
  /** Decompresses no more than the first `most` bytes, unchecked. Throws UnnoiseError `format` for damage. */
  readonly start: (most: number) => Uint8Array;
  /** Decompresses the content and checks its sum. Throws UnnoiseError `format` for damage. */
  readonly content: () => Uint8Array;
}

/**
 * Lists the files of a ZIP archive, stored or deflated, under 4 GB; each is decompressed when asked for.
 * @param bytes the whole archive; the content of stored files shares them
 * @param archive names it in errors
 * @throws UnnoiseError `format` for a damaged archive
 */
export function openZip(bytes: Uint8Array, archive: string): ZippedFile[] {
  return readDirectory(bytes, archive).map((entry) => ({
    name: entry.name,
    size: entry.size,
    start: (most) => extractStart(bytes, entry, `${archive}: ${entry.name}`, most),
    content: () => extract(bytes, entry, `${archive}: ${entry.name}`),
  }));
}
