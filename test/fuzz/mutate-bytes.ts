import type { Draws } from "./draws.ts";

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const extremes = [0, 1, 0x7f, 0x80, 0xff];

/** One change that knows nothing of what the bytes mean. */
function change(bytes: Uint8Array, draws: Draws): Uint8Array {
  const at = draws.below(bytes.length + 1);
  const length = 1 + draws.below(Math.min(64, bytes.length + 1));
  const copy = Uint8Array.from(bytes);
  switch (draws.below(8)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - length), at), bytes.subarray(at));
    case 3:
      return joined(bytes.subarray(0, at), new Uint8Array(length).fill(draws.one(extremes)), bytes.subarray(at));
    case 4:
      return copy.fill(draws.one(extremes), at, at + length);
    case 5: {
      const number = draws.one([0, 1, 2 ** 15, 2 ** 16 - 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]);
      if (at + 4 <= copy.length) new DataView(copy.buffer).setUint32(at, number, draws.unit() < 0.5);
      return copy;
    }
    default:
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << draws.below(8));
      return copy;
  }
}

/** One to four changes of bytes. */
export function mutatedBytes(bytes: Uint8Array, draws: Draws): Uint8Array {
  let mutant = bytes;
  for (let i = draws.below(4); i >= 0; i--) mutant = change(mutant, draws);
  return mutant;
}
