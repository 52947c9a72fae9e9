import { at } from "../math/error.ts";

/** The median of at least one number: the mean of the two middle values where the count is even. */
export function median(values: ArrayLike<number>): number {
  const ascending = Float64Array.from(values).sort();
  const middle = ascending.length >> 1;
  const upper = at(ascending, middle);
  return ascending.length % 2 === 1 ? upper : (at(ascending, middle - 1) + upper) / 2;
}
