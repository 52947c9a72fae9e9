/** One table entry for each byte, of a polynomial with its bits reversed. */
function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    return remainder;
  });
}

const ISO = tableOf(0xedb88320);
const CASTAGNOLI = tableOf(0x82f63b78);

function checksum(bytes: Uint8Array, table: Uint32Array): number {
  let remainder = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    remainder = (table[(remainder ^ (bytes[i] as number)) & 0xff] as number) ^ (remainder >>> 8);
  }
  return (remainder ^ 0xffffffff) >>> 0;
}

/** The CRC-32 of bytes, as ZIP, gzip and PNG use it (ISO 3309), in 0…2^32−1. */
export function crc32(bytes: Uint8Array): number {
  return checksum(bytes, ISO);
}

/** The CRC-32C of bytes, as TFRecord files use it (Castagnoli et al. 1993; RFC 3720, B.4), in 0…2^32−1. */
export function crc32c(bytes: Uint8Array): number {
  return checksum(bytes, CASTAGNOLI);
}
