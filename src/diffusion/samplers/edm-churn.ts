import { UnnoiseError } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { weightedSum } from "../combine.ts";
import { transitionAlpha, transitionBeta } from "../forward.ts";
import { edmSigma, stepAtSigma } from "../noise-level.ts";
import type { Position } from "../sampling-loop.ts";
import type { Walk } from "../walk.ts";

/** How much noise `euler` and `heun` add before a step (Karras et al. 2022, Algorithm 2, arXiv 2206.00364). */
export interface ChurnOptions {
  /** S_churn ≥ 0: γ = min(S_churn/N, √2 − 1) in each of N steps; 0, no noise, if absent. */
  readonly churn?: number;
  /** S_tmin ≥ 0: no noise below this σ; 0 if absent. */
  readonly sMin?: number;
  /** S_tmax: no noise above this σ; ∞ if absent. */
  readonly sMax?: number;
  /** S_noise ≥ 0, factor of the noise's standard deviation; 1 if absent. */
  readonly sNoise?: number;
}

/** x̂, at a raised noise level. */
export interface Churned {
  readonly xt: FloatTensor;
  /** t̂ ≥ t, the step of the raised level. */
  readonly step: number;
}

/** Raises the noise of x_t. */
export type Churn = (walk: Walk, xt: FloatTensor, position: Position) => Churned;

/**
 * Lines 4 to 6 of Algorithm 2 (Karras et al. 2022, arXiv 2206.00364): x̃̂ = x̃ + √(σ̂² − σ²) S_noise z with σ̂ = σ + γσ, snapped
 * to the nearest step of the schedule. In x that is the forward process, x̂ = √α_{t̂|t} x_t + √β_{t̂|t} S_noise z.
 * @throws UnnoiseError `usage` for a number out of range
 */
export function churnOf({ churn = 0, sMin = 0, sMax = Infinity, sNoise = 1 }: ChurnOptions): Churn {
  for (const [name, value] of Object.entries({ churn, sMin, sMax, sNoise })) {
    if (!(value >= 0)) throw new UnnoiseError("usage", `${name}: expected a number ≥ 0, got ${value}`);
  }
  return (walk, xt, { step, count }) => {
    const { schedule } = walk;
    const sigma = edmSigma(schedule, step);
    const gamma = sigma >= sMin && sigma <= sMax ? Math.min(churn / count, Math.SQRT2 - 1) : 0;
    const raised = gamma > 0 && sigma < Infinity ? stepAtSigma(schedule, sigma * (1 + gamma)) : step;
    if (raised === step) return { xt, step };
    const signal = Math.sqrt(transitionAlpha(schedule, raised, step));
    const noise = Math.sqrt(transitionBeta(schedule, raised, step)) * sNoise;
    const noised = weightedSum([
      [signal, xt],
      [noise, walk.normals(step)],
    ]);
    return { xt: noised, step: raised };
  };
}
