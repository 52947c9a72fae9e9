import { Random } from "../src/math/random.ts";
import { at } from "../src/math/error.ts";

/** One way to damage a file, given two uniform integers. */
type Damage = (bytes: Uint8Array, place: number, value: number) => Uint8Array;

function overwrite(bytes: Uint8Array, place: number, values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  values.forEach((value, i) => (copy[(place + i) % copy.length] = value));
  return copy;
}

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

/** Up to 64 bytes without a meaning. */
function garbage(value: number): number[] {
  return Array.from({ length: 1 + (value % 64) }, (_, i) => (value * 31 + i * i * 7) & 0xff);
}

const damages: readonly Damage[] = [
  (bytes, place) => bytes.slice(0, place),
  (bytes, place, value) => overwrite(bytes, place, [value]),
  (bytes, place) => overwrite(bytes, place, [0xff, 0xff, 0xff, 0x7f]),
  (bytes, place) => overwrite(bytes, place, [0x7f, 0xff, 0xff, 0xff]),
  (bytes, place) => overwrite(bytes, place, Array<number>(8).fill(0)),
  (bytes, place, value) => overwrite(bytes, place % 10, [value]),
  (bytes, place) => overwrite(bytes, place, ascii("99999")),
  (bytes, place) => overwrite(bytes, place, ascii("-,:[]{}\"'\n").slice(place % 9)),
  (bytes, place) => new Uint8Array([...bytes.subarray(0, place), ...bytes.subarray(place + 1)]),
  (bytes, place, value) => new Uint8Array([...bytes.subarray(0, place), value, ...bytes.subarray(place)]),
  (bytes, place) => new Uint8Array([...bytes, ...bytes.subarray(place)]),
  (bytes, place, value) => new Uint8Array([...bytes.subarray(0, place), ...garbage(value), ...bytes.subarray(place)]),
];

/** `count` damaged copies of a file, always the same ones. */
export function corruptions(bytes: Uint8Array, count: number): Uint8Array[] {
  const random = new Random(7, "metric");
  const draws = new Int32Array(2 * count);
  random.integers(draws, 2 ** 24);
  return Array.from({ length: count }, (_, i) => {
    const damage = at(damages, i % damages.length);
    return damage(bytes, at(draws, 2 * i) % bytes.length, at(draws, 2 * i + 1) & 0xff);
  });
}
