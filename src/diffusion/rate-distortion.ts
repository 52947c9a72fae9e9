import { UnnoiseError, at } from "../math/error.ts";
import { bitsPerDimension, type VariationalBound } from "./bound.ts";

/** What a receiver knows of the data as x_T, x_{T−1}, …, x_1 arrive; all arrays run from the last step down. */
export interface RateDistortion {
  /** t whose x_t has arrived. */
  readonly steps: readonly number[];
  /** Bits for each value that were sent so far. */
  readonly rates: readonly number[];
  /** Root mean square error of x̂_0(x_t), in the units of the data before they were standardised. */
  readonly distortions: readonly number[];
}

/**
 * The rate–distortion curve of progressive coding: x_t costs L_T + Σ_{k>t} L_{k−1} and allows x̂_0(x_t), whose error is √(E‖x_0 −
 * x̂_0‖²/D) (Ho et al. 2020, section 4.3, arXiv 2006.11239). The last stretch, L_0, brings the data themselves.
 * @throws UnnoiseError `usage` for a bound with a term that no row was evaluated at, as `stepsPerRow` may leave it
 */
export function rateDistortion({ terms, prior, width }: VariationalBound): RateDistortion {
  let nats = prior.mean;
  const [steps, rates, distortions]: [number[], number[], number[]] = [[], [], []];
  for (let index = terms.length - 1; index >= 0; index--) {
    const term = at(terms, index);
    if (term.rows === 0) throw unknownRate(term.step);
    steps.push(term.step);
    rates.push(bitsPerDimension(nats, width));
    distortions.push(Math.sqrt(term.squaredError));
    nats += term.mean;
  }
  return { steps, rates, distortions };
}

function unknownRate(step: number): UnnoiseError {
  const advice = "take more rows or more stepsPerRow";
  return new UnnoiseError("usage", `rate–distortion: no row was evaluated at step ${step}; ${advice}`);
}
