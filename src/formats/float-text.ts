const SMALLEST_NORMAL = 2 ** -126;

/**
 * A float32 as decimal text in as few significant digits as parse back to the same float32: six always survive the way from
 * text to float32 and back, nine always the way from float32 to text and back; subnormal numbers may need fewer than six.
 */
export function shortestFloat32(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return "-0";
  for (let digits = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
