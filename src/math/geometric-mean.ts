import { UnnoiseError, at } from "./error.ts";
import { meanOf, type MeanEstimate } from "./running-mean.ts";

/**
 * The geometric mean exp(mean log x), with the standard error that the logarithms give: mean · SE(log x).
 * @param values at least one, each > 0
 * @returns `standardError` NaN for a single value
 * @throws UnnoiseError `usage` for no values or one that is not positive
 */
export function geometricMean(values: ArrayLike<number>): MeanEstimate {
  const wrong = Array.from(values).findIndex((value) => !(value > 0));
  if (values.length === 0 || wrong >= 0) {
    const got = values.length === 0 ? "none" : `${at(values, wrong)} at position ${wrong}`;
    throw new UnnoiseError("usage", `geometric mean: expected at least one value, all > 0, got ${got}`);
  }
  const logs = meanOf(Float64Array.from(values, Math.log));
  const mean = Math.exp(logs.mean);
  return { mean, standardError: mean * logs.standardError };
}
