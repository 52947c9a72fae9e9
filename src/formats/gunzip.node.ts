import { constants as bufferLimits } from "node:buffer";
import { constants, gunzipSync } from "node:zlib";
import { UnnoiseError } from "../math/error.ts";
import { fileSize } from "../math/text.ts";

/** Whether bytes are compressed by gzip. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Decompresses what gzip made, and checks its sum.
 * @param name names the file in errors
 * @param most bytes that it may decompress to
 * @throws UnnoiseError `format` for a damaged or truncated file, or one that holds more
 */
export function gunzip(bytes: Uint8Array, name: string, most: number): Uint8Array {
  try {
    const buffer = gunzipSync(bytes, { maxOutputLength: Math.min(Math.max(1, most), bufferLimits.MAX_LENGTH) });
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (cause) {
    const isLarge = cause instanceof RangeError;
    const what = isLarge ? `decompresses to more than ${fileSize(most)}` : `damaged gzip file (${reasonOf(cause)})`;
    throw new UnnoiseError("format", `${name}: ${what}; download it again`, { cause });
  }
}

/** Compressed bytes that surely hold a header; they make 4 MB at most. */
const START_BYTES = 2 ** 12;

/**
 * The first decompressed bytes, as many as the first 4 KiB of the file give.
 * @throws UnnoiseError `format` for a damaged file
 */
export function gunzipStart(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw new UnnoiseError("format", `${name}: damaged gzip file (${reasonOf(cause)}); download it again`, { cause });
  }
}
