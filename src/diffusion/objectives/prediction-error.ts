import { add, mul, sub } from "../../graph/builders.ts";
import type { Node } from "../../graph/node.ts";
import { UnnoiseError, invariant } from "../../math/error.ts";
import type { Parameterisation } from "../parameterisation.ts";
import { posteriorMeanCoefficients } from "../posterior.ts";
import { alphaCumprodAt, betaAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import type { GatheredColumns, StepColumns } from "./step-columns.ts";

/** Columns with which x_t and errors are made. */
export type ErrorColumn = "signal" | "noise" | "unit" | "ofX0" | "ofXt";

const each = (schedule: NoiseSchedule, value: (step: number) => number): Float64Array =>
  Float64Array.from({ length: schedule.timesteps }, (_, step) => value(step));

/**
 * What the error of a parameterisation needs to know about each step: √ᾱ and √(1 − ᾱ) always; for the posterior mean its
 * coefficients and how many ε one μ̃ is worth.
 * @throws UnnoiseError `usage` for the mean where ᾱ_T = 0, whose error no ε measures
 */
export function errorColumns(schedule: NoiseSchedule, prediction: Parameterisation): StepColumns<ErrorColumn> {
  const signal = each(schedule, (step) => Math.sqrt(alphaCumprodAt(schedule, step)));
  const noise = each(schedule, (step) => Math.sqrt(noiseVarianceAt(schedule, step)));
  if (prediction !== "mean") return { signal, noise };
  if (signal.includes(0)) {
    throw new UnnoiseError("usage", "prediction: the mean implies no ε where ᾱ_T = 0; predict v or x0");
  }
  return {
    signal,
    noise,
    unit: each(schedule, (step) => 1 / epsToMean(schedule, step)),
    ofX0: each(schedule, (step) => posteriorMeanCoefficients(schedule, step).x0),
    ofXt: each(schedule, (step) => posteriorMeanCoefficients(schedule, step).xt),
  };
}

/** β_t/(√α_t √(1 − ᾱ_t)): by how much an error of ε moves the mean (Ho et al. 2020, eq. 11, arXiv 2006.11239). */
export function epsToMean(schedule: NoiseSchedule, step: number): number {
  const beta = betaAt(schedule, step);
  return beta / Math.sqrt((1 - beta) * noiseVarianceAt(schedule, step));
}

/** What an error is computed from, each [B, …D] but for the columns. */
export interface ErrorInputs {
  readonly x0: Node;
  readonly eps: Node;
  readonly xt: Node;
  readonly columns: GatheredColumns<ErrorColumn>;
}

/**
 * By how much a prediction is off: of ε, x_0 or v themselves; the posterior mean and the score are measured as the ε they imply,
 * √α_t √(1 − ᾱ_t)/β_t · (μ̃ − μ_θ) and √(1 − ᾱ_t)·(s − s_θ) (Song et al. 2021, eq. 7 with λ = 1 − ᾱ, arXiv 2011.13456): their own
 * squares differ by orders of magnitude between the steps.
 * @param output what the network predicts, [B, …D]
 * @returns [B, …D], up to its sign
 */
export function predictionError(prediction: Parameterisation, output: Node, inputs: ErrorInputs): Node {
  return errors[prediction](output, inputs);
}

const errors: Record<Parameterisation, (output: Node, inputs: ErrorInputs) => Node> = {
  eps: (output, { eps }) => sub(output, eps),
  x0: (output, { x0 }) => sub(output, x0),
  v: (output, { x0, eps, columns }) => {
    const [signal, noise] = [column(columns.signal), column(columns.noise)];
    return sub(output, sub(mul(signal, eps), mul(noise, x0)));
  },
  mean: (output, { x0, xt, columns }) => {
    const mean = add(mul(column(columns.ofX0), x0), mul(column(columns.ofXt), xt));
    return mul(column(columns.unit), sub(output, mean));
  },
  score: (output, { eps, columns }) => add(mul(column(columns.noise), output), eps),
};

/** A column that is needed, so that it is there. */
export function column(gathered: Node | undefined): Node {
  invariant(gathered, "a column of the step table is missing");
  return gathered;
}
