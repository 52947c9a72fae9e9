import { bitsPerDimension, type NegativeLogLikelihood } from "../diffusion/bound.ts";
import { rateDistortion } from "../diffusion/rate-distortion.ts";
import type { MeanEstimate } from "../math/running-mean.ts";
import { boundFigure } from "../figures/bound.ts";
import type { BoundReport } from "./bound.ts";
import { alignedLines } from "../math/text.ts";

const fixed = (value: number, digits: number): string => value.toFixed(digits).replace("-", "−");

/** As many digits as the error has to show, three or four. */
function withError(mean: number, standardError: number): string {
  const digits = standardError > 0 ? Math.min(4, Math.max(3, 1 - Math.floor(Math.log10(standardError)))) : 4;
  return `${fixed(mean, digits)} ± ${fixed(standardError, digits)}`;
}

/** The report as a table for people. */
export function boundText(report: BoundReport): string {
  const { bound, chains, likelihood, gap, note, variance, timesteps } = report;
  const { width, logScale, terms } = bound;
  const row = (label: string, { mean, standardError }: MeanEstimate): string[] => {
    const bits = withError(bitsPerDimension(mean, width), bitsPerDimension(standardError, width));
    return [label, withError(mean, standardError), bits];
  };
  const inDataUnits = ({ mean, standardError }: MeanEstimate): MeanEstimate => ({
    mean: mean + logScale,
    standardError,
  });
  const steps = terms.length === timesteps ? "all steps" : `${terms.length} steps`;
  const rows = [
    ["−log p(x) ≤", "nats", "bits/dim"],
    row("L_T, prior", bound.prior),
    row(`Σ L_{t−1}, ${steps}`, bound.transitions),
    row("L_0, decoder", bound.reconstruction),
    row("total", bound.total),
    row("total, from whole chains", chains.total),
    row("total, in units of the data", inDataUnits(bound.total)),
    ...(likelihood ? [row("probability-flow ODE", likelihood.total)] : []),
    ...(gap ? gapRows(gap, row) : []),
  ];
  const spread = `variance of a row: ${fixed(bound.total.variance, 3)}; from whole chains ${fixed(chains.total.variance, 3)}`;
  const remarks = [
    `${note}; T = ${timesteps}, ${variance} variance; ± standard error; standardised units unless said`,
    spread,
    ...(likelihood ? [likelihoodNote(likelihood)] : []),
  ];
  return `${[...alignedLines(rows), "", ...remarks].join("\n")}\n`;
}

type Row = (label: string, estimate: MeanEstimate) => string[];

function gapRows(
  { entropy, gap, network, variance, discretisation }: NonNullable<BoundReport["gap"]>,
  row: Row,
): string[][] {
  return [
    row("entropy of these data", entropy),
    row("gap of whole chains", gap),
    row("  network", network),
    row("  variance", variance),
    row("  discretisation", discretisation),
  ];
}

function likelihoodNote({ trace, sigma }: NonNullable<BoundReport["likelihood"]>): string {
  const how = trace === "exact" ? "exact trace" : `${trace} random probes a row`;
  return `ODE: ${how}; density of the data with noise of σ = ${sigma.toPrecision(3)}, as at the first step`;
}

interface Amount {
  readonly nats: number;
  readonly standardError: number;
  readonly bitsPerDimension: number;
  readonly bitsStandardError: number;
}

type AmountOf = (estimate: MeanEstimate) => Amount;

const amountsOf =
  (width: number): AmountOf =>
  ({ mean, standardError }) => ({
    nats: mean,
    standardError,
    bitsPerDimension: bitsPerDimension(mean, width),
    bitsStandardError: bitsPerDimension(standardError, width),
  });

/** The report for programs: nats are for a whole sample. */
export function boundJson(report: BoundReport): Record<string, unknown> {
  const { bound, chains, likelihood, gap, note, variance, timesteps } = report;
  const { rows, width, logScale, terms } = bound;
  const amount = amountsOf(width);
  const totalOf = ({ total }: NegativeLogLikelihood): Record<string, unknown> => ({
    ...amount(total),
    variance: total.variance,
    inDataUnits: amount({ mean: total.mean + logScale, standardError: total.standardError }),
  });
  return {
    data: note,
    count: rows,
    dimensions: width,
    timesteps,
    variance,
    /** Nats to add for the density in units of the data. */
    logScale,
    prior: amount(bound.prior),
    transitions: amount(bound.transitions),
    decoder: amount(bound.reconstruction),
    total: totalOf(bound),
    totalFromChains: totalOf(chains),
    terms: terms.map(({ step, previousStep, ...term }) => ({ step, previousStep, ...amount(term) })),
    rateDistortion: rateDistortion(bound),
    ...(likelihood && { likelihood: { ...totalOf(likelihood), trace: likelihood.trace, sigma: likelihood.sigma } }),
    ...(gap && { oracle: gapJson(gap, amount) }),
  };
}

function gapJson(
  { entropy, gap, network, variance, discretisation, losses }: NonNullable<BoundReport["gap"]>,
  amount: AmountOf,
): Record<string, unknown> {
  return {
    entropy: amount(entropy),
    gap: amount(gap),
    network: amount(network),
    variance: amount(variance),
    discretisation: amount(discretisation),
    losses: losses.map(({ step, bayes, excess }) => ({
      step,
      bayes,
      excess: excess.mean,
      standardError: excess.standardError,
    })),
  };
}

/** The report as a figure: the terms of the bound, and the rate–distortion curve. */
export function boundPicture({ bound, timesteps }: BoundReport, title: string): string {
  const between = bound.terms.filter(({ previousStep }) => previousStep >= 0);
  const bits = (nats: number): number => bitsPerDimension(nats, bound.width);
  return boundFigure({
    terms: {
      steps: between.map(({ step }) => step),
      bits: between.map(({ mean }) => bits(mean)),
      standardErrors: between.map(({ standardError }) => bits(standardError)),
    },
    rateDistortion: rateDistortion(bound),
    timesteps,
    title,
  });
}
