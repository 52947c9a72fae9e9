import { createHash } from "node:crypto";
import { UnnoiseError, invariant } from "../math/error.ts";

/** The key in a checkpoint's metadata under which its sum stands. */
export const SEAL = "sha256";
/** What stands in the sum's place while it is computed: the sum is over every byte of the file, these 64 digits as zeros. */
export const BLANK_SEAL: string = "0".repeat(64);

const BEFORE = `"${SEAL}":"`;

/** Where the digits of the sum begin; −1 where there are none. */
function placeOf(bytes: Uint8Array): number {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(BEFORE, 0, "latin1");
  return start < 0 ? -1 : start + BEFORE.length;
}

function sumOf(bytes: Uint8Array, place: number): string {
  return createHash("sha256")
    .update(bytes.subarray(0, place))
    .update(BLANK_SEAL)
    .update(bytes.subarray(place + BLANK_SEAL.length))
    .digest("hex");
}

/**
 * Puts the SHA-256 sum of a whole safetensors file into its metadata, in place.
 * @param bytes of a file whose metadata have `BLANK_SEAL` under the key `SEAL`
 */
export function sealed(bytes: Uint8Array): Uint8Array {
  const place = placeOf(bytes);
  invariant(place >= 0, "the metadata have a place for the sum");
  bytes.set(new TextEncoder().encode(sumOf(bytes, place)), place);
  return bytes;
}

/**
 * Checks the sum of a file that `sealed` made.
 * @param seal as the metadata have it
 * @throws UnnoiseError `format` where any byte differs
 */
export function checkSeal(bytes: Uint8Array, seal: string, path: string): void {
  const place = placeOf(bytes);
  if (place >= 0 && sumOf(bytes, place) === seal) return;
  throw new UnnoiseError("format", `${path}: its bytes are not those that were saved: the SHA-256 sum differs`);
}
