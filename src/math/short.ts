/** A number with three significant digits and no zeros at its end: 0.0625 for 1/16, 0.333 for 1/3. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
