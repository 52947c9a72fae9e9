import { UnnoiseError } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { coefficientAt, combine, type StepOrSteps } from "./combine.ts";
import { transitionAlpha, transitionBeta } from "./forward.ts";
import { posteriorMeanCoefficients } from "./posterior.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";

/**
 * What a network may predict: the noise ε; the data x_0; v = √ᾱ ε − √(1 − ᾱ) x_0 (Salimans & Ho 2022, arXiv 2202.00512); the
 * posterior mean μ̃ of the step before; the score ∇log q(x_t) = −ε/√(1 − ᾱ).
 */
export const parameterisations = ["eps", "x0", "v", "mean", "score"] as const;
export type Parameterisation = (typeof parameterisations)[number];

/** Weights of the form xt·x_t + output·o, in float64. */
export interface LinearForm {
  readonly xt: number;
  /** Weight of the network's output o. */
  readonly output: number;
}

/** x̂_0 and ε in terms of x_t and a network's output. */
export interface Conversion {
  readonly x0: LinearForm;
  readonly eps: LinearForm;
}

type Rule = (schedule: NoiseSchedule, step: number) => Conversion;

const signalOf = (schedule: NoiseSchedule, step: number): number => Math.sqrt(alphaCumprodAt(schedule, step));
const noiseOf = (schedule: NoiseSchedule, step: number): number => Math.sqrt(noiseVarianceAt(schedule, step));

const rules: Record<Parameterisation, Rule> = {
  eps: (schedule, step) => {
    const [signal, noise] = [signalOf(schedule, step), noiseOf(schedule, step)];
    return { x0: { xt: 1 / signal, output: -noise / signal }, eps: { xt: 0, output: 1 } };
  },
  x0: (schedule, step) => {
    const [signal, noise] = [signalOf(schedule, step), noiseOf(schedule, step)];
    return { x0: { xt: 0, output: 1 }, eps: { xt: 1 / noise, output: -signal / noise } };
  },
  v: (schedule, step) => {
    const [signal, noise] = [signalOf(schedule, step), noiseOf(schedule, step)];
    return { x0: { xt: signal, output: -noise }, eps: { xt: noise, output: signal } };
  },
  mean: (schedule, step) => {
    const of = posteriorMeanCoefficients(schedule, step);
    const scale = noiseOf(schedule, step) / transitionBeta(schedule, step);
    const alpha = transitionAlpha(schedule, step);
    return {
      x0: { xt: -of.xt / of.x0, output: 1 / of.x0 },
      eps: { xt: scale, output: -Math.sqrt(alpha) * scale },
    };
  },
  score: (schedule, step) => {
    const [signal, noise] = [signalOf(schedule, step), noiseOf(schedule, step)];
    return { x0: { xt: 1 / signal, output: noise ** 2 / signal }, eps: { xt: 0, output: -noise } };
  },
};

/**
 * How x̂_0 and ε follow from x_t and what a network predicts, at one step: the definitions of `parameterisations` solved with
 * x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε. Where ᾱ_t = 0, ε and score say nothing about x_0, and those weights are infinite.
 * @param step 0…T−1
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function conversionOf(parameterisation: Parameterisation, schedule: NoiseSchedule, step: number): Conversion {
  return rules[parameterisation](schedule, step);
}

/**
 * Turns one parameterisation into another: the weights that give `to` from x_t and a network's output in `from`.
 * @param step 0…T−1
 * @throws UnnoiseError `usage` for a step outside the schedule, or one with ᾱ = 0 whose output leaves `to` undetermined
 */
export function conversionBetween(
  from: Parameterisation,
  to: Parameterisation,
  schedule: NoiseSchedule,
  step: number,
): LinearForm {
  const form = from === to ? { xt: 0, output: 1 } : targets[to](conversionOf(from, schedule, step), schedule, step);
  if (Number.isFinite(form.xt) && Number.isFinite(form.output)) return form;
  throw new UnnoiseError(
    "usage",
    `convertPrediction: ${from} says nothing about ${to} at step ${step}, where ᾱ = 0; predict v or x0`,
  );
}

const targets: Record<Parameterisation, (c: Conversion, schedule: NoiseSchedule, step: number) => LinearForm> = {
  eps: ({ eps }) => eps,
  x0: ({ x0 }) => x0,
  v: ({ x0, eps }, schedule, step) => weighted(signalOf(schedule, step), eps, -noiseOf(schedule, step), x0),
  mean: ({ x0 }, schedule, step) => {
    const of = posteriorMeanCoefficients(schedule, step);
    return { xt: of.x0 * x0.xt + of.xt, output: of.x0 * x0.output };
  },
  score: ({ eps }, schedule, step) => weighted(-1 / noiseOf(schedule, step), eps, 0, eps),
};

function weighted(a: number, x: LinearForm, b: number, y: LinearForm): LinearForm {
  return { xt: a * x.xt + b * y.xt, output: a * x.output + b * y.output };
}

/**
 * Converts what a network predicted into another parameterisation.
 * @param output `[B, …D]`, in the parameterisation `from`
 * @param xt `[B, …D]`, noised data
 * @param step 0…T−1, one for all rows or one for each
 * @returns `[B, …D]` in the parameterisation `to`
 * @throws UnnoiseError `usage` when shapes or the number of steps disagree, a step is outside the schedule, or has ᾱ = 0 and
 * leaves `to` undetermined
 */
export function convertPrediction(
  output: FloatTensor,
  from: Parameterisation,
  to: Parameterisation,
  xt: FloatTensor,
  schedule: NoiseSchedule,
  step: StepOrSteps,
): FloatTensor {
  const ofXt = coefficientAt(step, (t) => conversionBetween(from, to, schedule, t).xt);
  const ofOutput = coefficientAt(step, (t) => conversionBetween(from, to, schedule, t).output);
  return combine(ofXt, xt, ofOutput, output);
}

/**
 * The data that a predicted noise implies: x̂_0 = (x_t − √(1 − ᾱ_t) ε)/√ᾱ_t (Ho et al. 2020, eq. 15, arXiv 2006.11239).
 * @param xt `[B, …D]`, noised data
 * @param eps `[B, …D]`, noise
 * @param step 0…T−1, one for all rows or one for each
 * @returns x̂_0 `[B, …D]`
 * @throws UnnoiseError `usage` as `convertPrediction`
 */
export function predictX0FromEps(
  xt: FloatTensor,
  eps: FloatTensor,
  schedule: NoiseSchedule,
  step: StepOrSteps,
): FloatTensor {
  return convertPrediction(eps, "eps", "x0", xt, schedule, step);
}

/**
 * The noise that predicted data imply: ε = (x_t − √ᾱ_t x_0)/√(1 − ᾱ_t), the inverse of `predictX0FromEps`.
 * @param xt `[B, …D]`, noised data
 * @param x0 `[B, …D]`, data
 * @param step 0…T−1, one for all rows or one for each
 * @returns ε `[B, …D]`
 * @throws UnnoiseError `usage` as `convertPrediction`
 */
export function predictEpsFromX0(
  xt: FloatTensor,
  x0: FloatTensor,
  schedule: NoiseSchedule,
  step: StepOrSteps,
): FloatTensor {
  return convertPrediction(x0, "x0", "eps", xt, schedule, step);
}

/**
 * Mean of the reverse step that a predicted noise implies: μ_θ = (x_t − β_{t|s}/√(1 − ᾱ_t) ε_θ)/√α_{t|s} (Ho et al. 2020,
 * eq. 11, arXiv 2006.11239, where s = t − 1). Equals `posteriorMean` at x̂_0.
 * @param xt `[B, …D]`, noised data
 * @param eps ε_θ `[B, …D]`
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @returns μ_θ `[B, …D]`
 * @throws UnnoiseError `usage` when shapes disagree, or steps are outside the schedule or out of order
 */
export function meanFromEps(
  xt: FloatTensor,
  eps: FloatTensor,
  schedule: NoiseSchedule,
  step: number,
  previousStep: number = step - 1,
): FloatTensor {
  const alpha = transitionAlpha(schedule, step, previousStep);
  const beta = transitionBeta(schedule, step, previousStep);
  const ofEps = -beta / Math.sqrt(noiseVarianceAt(schedule, step));
  return combine(1 / Math.sqrt(alpha), xt, ofEps / Math.sqrt(alpha), eps);
}
