import { add, div, exp, mul, neg, sub } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";
import type { Parameterisation } from "../parameterisation.ts";
import { posteriorMeanCoefficients } from "../posterior.ts";
import { priorKl } from "../prior.ts";
import { betaAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import { fixedLogVariance, posteriorLogVariance, type FirstLogVariance } from "../variance.ts";
import { column, epsToMean } from "./prediction-error.ts";
import { requireFloat32, type GatheredColumns, type StepColumns } from "./step-columns.ts";

/**
 * σ² of the reverse step: β_t (`large`), β̃_t (`small`), or the network's: between the two (`learned-range`, Nichol & Dhariwal
 * 2021, eq. 15, arXiv 2102.09672), or log σ² itself (`learned`).
 */
export const varianceKinds = ["large", "small", "learned-range", "learned"] as const;
export type VarianceKind = (typeof varianceKinds)[number];

/** Whether the network says the variance too, and so has twice as many outputs. */
export function isLearned(variance: VarianceKind): variance is "learned-range" | "learned" {
  return variance === "learned-range" || variance === "learned";
}

/** What the bound needs to know about each step. */
export type BoundColumn = "fixedBound" | "meanError" | "posterior" | "logVariance" | "halfRange";

export interface BoundLossOptions {
  readonly prediction: Parameterisation;
  readonly variance: VarianceKind;
  /** Variance of the decoder, the last reverse step, where it is fixed; `second` if absent. */
  readonly firstLogVariance?: FirstLogVariance;
}

/** How far μ_θ is off where the error that `predictionError` gives is 1: d = c_{x_0}·(x_0 − x̂_0) is that many errors. */
const meanErrors: Record<Parameterisation, (schedule: NoiseSchedule, step: number) => number> = {
  eps: epsToMean,
  mean: epsToMean,
  score: epsToMean,
  x0: (schedule, step) => posteriorMeanCoefficients(schedule, step).x0,
  v: (schedule, step) => posteriorMeanCoefficients(schedule, step).x0 * Math.sqrt(noiseVarianceAt(schedule, step)),
};

/**
 * The columns from which `boundElements` makes the bound.
 * @throws UnnoiseError `usage` for a prediction that leaves x_0 open where ᾱ_T = 0
 */
export function boundColumns(
  schedule: NoiseSchedule,
  { prediction, variance, firstLogVariance: first = "second" }: BoundLossOptions,
): StepColumns<BoundColumn> {
  const each = (value: (step: number) => number): Float64Array =>
    Float64Array.from({ length: schedule.timesteps }, (_, step) => value(step));
  const unknown = (step: number): string =>
    `objective: the bound needs x̂_0 at step ${step}, where ${prediction} does not give it; predict v or x0`;
  const meanError = (step: number, logVariance: number): number =>
    meanErrors[prediction](schedule, step) * Math.exp(-logVariance / 2);
  if (!isLearned(variance)) {
    const bounds = each((step) => meanError(step, fixedLogVariance(variance, { schedule, step, first })) ** 2 / 2);
    return { fixedBound: requireFloat32(bounds, unknown) };
  }
  const small = each((step) => posteriorLogVariance({ schedule, step, first }));
  const range = each((step) => (Math.log(betaAt(schedule, step)) - (small[step] ?? 0)) / 2);
  return {
    meanError: requireFloat32(
      each((step) => meanError(step, small[step] ?? 0)),
      unknown,
    ),
    posterior: each((step) => (step === 0 ? 0 : 1)),
    ...(variance === "learned" ? { logVariance: small } : { halfRange: range }),
  };
}

/**
 * The bound's term of each element, in nats: KL(q(x_{t−1}|x_t, x_0) ‖ p_θ) for t > 1 and −log p_θ(x_0|x_1), a continuous Gaussian
 * density, for t = 1 (Ho et al. 2020, eq. 5, arXiv 2006.11239; Nichol & Dhariwal 2021, eq. 4–6, arXiv 2102.09672), both as
 * ½(a_t + log σ² + (b_t + d²)·e^(−log σ²)) with d the error of the posterior mean, a_t = −1 − log β̃_t and b_t = β̃_t, but
 * a_1 = log 2π and b_1 = 0. Written with r = log σ² − log β̃_t, so that float32 keeps what differs: ½(r + b(e^(−r) − 1) +
 * d²/β̃_t·e^(−r)), b = 1 for t > 1, else 0. What no weight changes is left out: `boundConstant`.
 * @param error as `predictionError` gives it
 * @param variance what the network says of the variance; absent where it is fixed, and the term is then the weighted error alone
 */
export function boundElements(error: Node, variance: Node | undefined, columns: GatheredColumns<BoundColumn>): Node {
  if (!variance) return mul(column(columns.fixedBound), mul(error, error));
  const ratio = columns.halfRange
    ? mul(columns.halfRange, add(variance, 1))
    : sub(variance, column(columns.logVariance));
  const distance = mul(column(columns.meanError), error);
  const shrunk = exp(neg(ratio));
  const spread = mul(column(columns.posterior), sub(shrunk, 1));
  return div(add(ratio, add(spread, mul(mul(distance, distance), shrunk))), 2);
}

/**
 * What the bound holds besides T times the mean of `boundElements`: L_T of data with unit variance, the decoder's ½(log 2π +
 * log β̃_1), and where the variance is fixed the KL that it costs at every step.
 * @returns bits per dimension
 */
export function boundConstant(
  schedule: NoiseSchedule,
  { variance, firstLogVariance: first = "second" }: BoundLossOptions,
): number {
  let nats = (Math.log(2 * Math.PI) + posteriorLogVariance({ schedule, step: 0, first })) / 2;
  if (!isLearned(variance)) {
    for (let step = 0; step < schedule.timesteps; step++) {
      const reverse = { schedule, step, first };
      const ratio = fixedLogVariance(variance, reverse) - posteriorLogVariance(reverse);
      nats += (ratio + (step === 0 ? 0 : Math.expm1(-ratio))) / 2;
    }
  }
  return nats / Math.LN2 + priorKl(schedule);
}
