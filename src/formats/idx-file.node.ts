import { gunzip, gunzipStart, isGzip } from "./gunzip.node.ts";
import { decodeIdx, parseIdxHeader, type IdxArray } from "./idx.ts";
import { checkReadable } from "./machine-memory.node.ts";
import { readFileBytes } from "./write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";

/** Deflate gives at most 258 bytes for two bits. */
const MOST_EXPANSION = 1032;

/**
 * Decodes an IDX file that may be compressed by gzip; no more is decompressed than its header says.
 * @param name names the file in errors
 * @throws UnnoiseError `format` for any breach of the format
 */
export function decodeIdxFile(bytes: Uint8Array, name: string): IdxArray {
  if (!isGzip(bytes)) return decodeIdx(bytes, name);
  const { fileBytes, shape } = parseIdxHeader(gunzipStart(bytes, name), name);
  if (fileBytes > MOST_EXPANSION * bytes.length) {
    const fault = `truncated or wrong extents: (${shape.join(", ")}) is more than its ${bytes.length} bytes can hold`;
    throw new UnnoiseError("format", `${name}: ${fault}; download it again`);
  }
  // While it is decompressed, all is there twice.
  checkReadable(2 * fileBytes, name);
  return decodeIdx(gunzip(bytes, name, fileBytes), name);
}

/**
 * Reads an IDX file, compressed by gzip or not.
 * @throws UnnoiseError `io` when it cannot be read, `format` for any breach of the format
 */
export async function readIdx(path: string): Promise<IdxArray> {
  return decodeIdxFile(await readFileBytes(path), path);
}
