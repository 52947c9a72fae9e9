/** The value of an IEEE 754 binary16 bit pattern. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halfValues: Float32Array | undefined;

/** Bit patterns of IEEE 754 binary16 (float16) as float32, which holds each of them exactly. */
export function halvesToFloats(bits: Uint16Array): Float32Array {
  const values = (halfValues ??= Float32Array.from({ length: 0x10000 }, (_, pattern) => halfToNumber(pattern)));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = values[bits[i] as number] as number;
  return out;
}

/** Bit patterns of bfloat16, the upper half of a float32, as float32. */
export function bfloatsToFloats(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = (bits[i] as number) << 16;
  return new Float32Array(out.buffer);
}
