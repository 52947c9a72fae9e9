import { gunzip, gunzipStart, isGzip } from "./gunzip.node.ts";
import { decodeIdx, parseIdxHeader, type IdxArray } from "./idx.ts";
import { readFileBytes } from "./write-file.node.ts";

/**
 * Decodes an IDX file that may be compressed by gzip; no more is decompressed than its header says.
 * @param name names the file in errors
 * @throws UnnoiseError `format` for any breach of the format
 */
export function decodeIdxFile(bytes: Uint8Array, name: string): IdxArray {
  if (!isGzip(bytes)) return decodeIdx(bytes, name);
  const { fileBytes } = parseIdxHeader(gunzipStart(bytes, name), name);
  return decodeIdx(gunzip(bytes, name, fileBytes), name);
}

/**
 * Reads an IDX file, compressed by gzip or not.
 * @throws UnnoiseError `io` when it cannot be read, `format` for any breach of the format
 */
export async function readIdx(path: string): Promise<IdxArray> {
  return decodeIdxFile(await readFileBytes(path), path);
}
