import { UnnoiseError, at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import type { Term } from "./combine.ts";
import { posteriorMeanCoefficients } from "./posterior.ts";
import type { Estimate } from "./sampler.ts";
import { explicitSteps, trailingSteps } from "./steps.ts";
import { fixedLogVariance, learnedLogVariance, type FixedVariance, type ReverseStep } from "./variance.ts";

/** A step of the reverse chain, with what `posteriorLogVariance` needs to know. */
export type Transition = Required<ReverseStep>;

/** Variance σ² of each reverse step: fixed, as the network learned it, or a number > 0 for each step. */
export type ModelVariance = FixedVariance | "learned" | ((step: number, previousStep: number) => number);

/**
 * The reverse chain as transitions, from the data upwards.
 * @param steps a number, spaced by `trailingSteps`, or the steps themselves; all T if absent
 * @throws UnnoiseError `usage` for steps that are none
 */
export function transitionsOf(
  steps: number | ArrayLike<number> | undefined,
  { schedule, first = "second" }: Pick<ReverseStep, "schedule" | "first">,
): Transition[] {
  const { timesteps } = schedule;
  const given = steps ?? timesteps;
  const descending = typeof given === "number" ? trailingSteps(timesteps, given) : explicitSteps(timesteps, given);
  const ascending = descending.reverse();
  return Array.from(ascending, (step, i) => ({
    schedule,
    first,
    step,
    previousStep: i === 0 ? -1 : at(ascending, i - 1),
    nextStep: i + 1 < ascending.length ? at(ascending, i + 1) : timesteps,
  }));
}

/** p_θ(x_s|x_t) = N(μ_θ, σ²) for a batch, in float64. */
export interface ReverseGaussian {
  /** μ_θ `[B·D]`. */
  readonly mean: Float64Array;
  /** log σ², one for all values or `[B·D]`. */
  readonly logVariance: number | Float64Array;
}

/**
 * The reverse step that an estimate of x_0 implies: μ_θ = μ̃(x̂_0, x_t) (Ho et al. 2020, eq. 10 and 11, arXiv 2006.11239), σ² as
 * asked.
 * @throws UnnoiseError `data` for `learned` where the denoiser says nothing of it, `usage` for a σ² that is not above 0
 */
export function reverseGaussian(
  estimate: Estimate,
  xt: FloatTensor,
  transition: Transition,
  variance: ModelVariance,
): ReverseGaussian {
  const { schedule, step, previousStep } = transition;
  const { x0, xt: ofXt } = posteriorMeanCoefficients(schedule, step, previousStep);
  const mean = float64Sum([...estimate.terms(x0, 0), [ofXt, xt]]);
  return { mean, logVariance: logVarianceOf(estimate, transition, variance) };
}

function logVarianceOf(
  { variance: learned }: Estimate,
  transition: Transition,
  variance: ModelVariance,
): number | Float64Array {
  const { step, previousStep } = transition;
  if (typeof variance === "function") return logOf(variance(step, previousStep), step);
  if (variance !== "learned") return fixedLogVariance(variance, transition);
  if (learned) return learnedLogVariance(learned, transition);
  throw new UnnoiseError("data", "variance learned: the denoiser says nothing of it; choose large or small");
}

function logOf(variance: number, step: number): number {
  if (variance > 0 && variance < Infinity) return Math.log(variance);
  throw new UnnoiseError("usage", `variance: expected a finite number above 0 at step ${step}, got ${variance}`);
}

/** Σ_k w_k·x_k in float64: the differences that the bound divides by small variances would not bear rounding. */
function float64Sum(terms: readonly Term[]): Float64Array {
  const sum = new Float64Array(at(terms, 0)[1].data.length);
  for (const [weight, { data }] of terms) {
    if (typeof weight === "number" && weight === 0) continue;
    for (let i = 0; i < sum.length; i++) {
      const w = typeof weight === "number" ? weight : (weight[i] as number);
      sum[i] = (sum[i] as number) + w * (data[i] as number);
    }
  }
  return sum;
}
