import { UnnoiseError, at } from "./error.ts";

/**
 * The value below which a share of the values lies, between two of them by linear interpolation (Hyndman & Fan 1996, definition 7).
 * @param values at least one, in any order
 * @param share in 0…1; 0.5 is the median
 * @throws UnnoiseError `usage` for no values or another share
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0 || !(share >= 0 && share <= 1)) {
    throw new UnnoiseError(
      "usage",
      `quantile: expected at least one value and a share in 0…1, got ${values.length} and ${share}`,
    );
  }
  return sortedQuantile(Float64Array.from(values).sort(), share);
}

/** `quantile` of values that ascend, at least one. */
export function sortedQuantile(ascending: ArrayLike<number>, share: number): number {
  const place = share * (ascending.length - 1);
  const [low, high] = [at(ascending, Math.floor(place)), at(ascending, Math.ceil(place))];
  return low === high ? low : low + (high - low) * (place - Math.floor(place));
}
