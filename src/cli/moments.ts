/** `count` integers from 0 to `last`, denser near 0, where pictures of the process change most. */
export function towardsZero(last: number, count: number): number[] {
  const spaced = Array.from({ length: count }, (_, i) => Math.round(last * (i / Math.max(1, count - 1)) ** 2));
  return [...new Set(spaced)];
}
