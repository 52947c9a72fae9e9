import { UnnoiseError, at } from "../math/error.ts";
import { RunningMean, meanOf, type MeanEstimate, type SpreadEstimate } from "../math/running-mean.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { boundSetup, drawNoise, rowsOf, type BoundOptions, type BoundSetup } from "./bound-options.ts";
import { qSample } from "./forward.ts";
import { gaussianKl, priorTerm } from "./gaussian-kl.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "./posterior.ts";
import { reverseGaussian, type Transition } from "./reverse-transition.ts";
import { stepChoices, type RowChoice, type Stretches } from "./step-choices.ts";

/** What `variationalBound` takes. */
export interface VariationalBoundOptions extends BoundOptions {
  /**
   * Evaluates each row at so many random steps only, one in each of as many stretches of the chain; at all of them if
   * absent.
   */
  readonly stepsPerRow?: number;
  /** How the chain is cut into stretches; `equal` if absent. */
  readonly stretches?: Stretches;
}

/** One term of the bound, in nats for a whole sample. */
export interface BoundTerm extends MeanEstimate {
  /** t, in 0…T−1. */
  readonly step: number;
  /** s, in −1…T−2; −1 is the data: that term is L_0. */
  readonly previousStep: number;
  /** Rows that were evaluated here. */
  readonly rows: number;
  /** E Σ_d (scale_d (x_0 − x̂_0(x_t)))²/D, in squared units of the data before they were standardised. */
  readonly squaredError: number;
}

/** −log p_θ(x_0), or a bound on it: nats for a whole sample, in standardised units. */
export interface NegativeLogLikelihood {
  readonly rows: number;
  /** D. */
  readonly width: number;
  /** Σ_d log scale_d: what to add for the bound in the units of the data before they were standardised. */
  readonly logScale: number;
  readonly total: SpreadEstimate;
  /** The value of each row `[N]`. */
  readonly rowTotals: Float64Array;
}

/** The bound as a sum of Kullback–Leibler divergences. */
export interface VariationalBound extends NegativeLogLikelihood {
  /** L_T = KL(q(x_T|x_0) ‖ N(0, I)). */
  readonly prior: SpreadEstimate;
  /** Σ_{t>1} L_{t−1}. */
  readonly transitions: SpreadEstimate;
  /** L_0 = −log p_θ(x_0|x_1). */
  readonly reconstruction: SpreadEstimate;
  /** L_0, then each L_{t−1}, upwards. */
  readonly terms: readonly BoundTerm[];
}

/**
 * The variational bound E[−log p_θ(x_0)] ≤ L_T + Σ_{t>1} L_{t−1} + L_0 with L_T = KL(q(x_T|x_0) ‖ N(0, I)), L_{t−1} =
 * KL(q(x_{t−1}|x_t, x_0) ‖ p_θ(x_{t−1}|x_t)), L_0 = −log p_θ(x_0|x_1) (Ho et al. 2020, eq. 5, arXiv 2006.11239). Each x_t is drawn
 * from q(x_t|x_0), on its own for each step and row; with a subsequence of steps the bound is that of the shorter chain.
 * @returns terms and total. All steps of a row share its x_0, so standard errors of sums come from the sums of each row
 * @throws UnnoiseError `usage` for options out of range; `interrupted` after `signal`; what the denoiser gives that is none, as
 * a sampler
 */
export async function variationalBound(options: VariationalBoundOptions): Promise<VariationalBound> {
  const setup = boundSetup("bound", options);
  const choices = stepChoices(setup, options.stepsPerRow, options.stretches);
  const sums = { transitions: new Float64Array(setup.rows), reconstruction: new Float64Array(setup.rows) };
  const terms: BoundTerm[] = [];
  for (const [index, transition] of setup.transitions.entries()) {
    const into = transition.previousStep === -1 ? sums.reconstruction : sums.transitions;
    terms.push(await boundTerm(setup, transition, at(choices, index), into));
    setup.onProgress((index + 1) / setup.transitions.length);
  }
  const priors = priorTerms(setup);
  const rowTotals = priors.map((value, row) => value + at(sums.transitions, row) + at(sums.reconstruction, row));
  return {
    rows: setup.rows,
    width: setup.width,
    logScale: logScaleOf(setup),
    prior: meanOf(priors),
    transitions: meanOf(sums.transitions),
    reconstruction: meanOf(sums.reconstruction),
    total: meanOf(rowTotals),
    rowTotals,
    terms,
  };
}

/** Σ_d log scale_d. */
export function logScaleOf({ scale }: Pick<BoundSetup, "scale">): number {
  return scale.reduce((sum, value) => sum + Math.log(value), 0);
}

/** L_T of each row. */
function priorTerms({ x0, rows, width, schedule, transitions }: BoundSetup): Float64Array {
  const { step } = at(transitions, transitions.length - 1);
  const out = new Float64Array(rows);
  for (let i = 0; i < x0.data.length; i++) {
    const row = Math.floor(i / width);
    out[row] = (out[row] as number) + priorTerm(x0.data[i] as number, schedule, step);
  }
  return out;
}

/** Evaluates one term at the rows that chose it, and adds it to their sums with the weight of the choice. */
async function boundTerm(
  setup: BoundSetup,
  transition: Transition,
  { rows, weight }: RowChoice,
  sums: Float64Array,
): Promise<BoundTerm> {
  const { step, previousStep } = transition;
  const values = new RunningMean();
  const errors = new RunningMean();
  const count = rows?.length ?? setup.rows;
  for (let first = 0; first < count; first += setup.batchRows) {
    const size = Math.min(setup.batchRows, count - first);
    const batch = batchOf(setup, step, rows?.subarray(first, first + size) ?? { first, size });
    const { losses, squaredErrors } = await evaluate(setup, transition, batch);
    for (let i = 0; i < size; i++) {
      const row = rows === undefined ? first + i : (rows[first + i] as number);
      sums[row] = (sums[row] as number) + weight * (losses[i] as number);
      values.add(losses[i] as number);
      errors.add(squaredErrors[i] as number);
    }
  }
  return { step, previousStep, rows: count, squaredError: errors.mean, ...values.estimate() };
}

interface Batch {
  /** Indices of the rows of x_0. */
  readonly rows: Int32Array;
  readonly x0: FloatTensor;
  readonly xt: FloatTensor;
}

/** x_0 and x_t of rows. Chosen rows are filled up to a power of two, so that networks meet few batch sizes. */
function batchOf(setup: BoundSetup, step: number, rows: Int32Array | { first: number; size: number }): Batch {
  const { schedule, width, noise, firstIndex } = setup;
  if (!(rows instanceof Int32Array)) {
    const { first, size } = rows;
    const x0 = rowsOf(setup, first, size);
    const xt = qSample(x0, drawNoise(setup, first, size, step), schedule, step);
    return { rows: Int32Array.from({ length: size }, (_, i) => first + i), x0, xt };
  }
  const padded = 2 ** Math.ceil(Math.log2(rows.length));
  const shape = [padded, ...setup.x0.shape.slice(1)];
  const [x0, eps] = [new Float32Array(padded * width), new Float32Array(padded * width)];
  rows.forEach((row, i) => {
    x0.set(setup.x0.data.subarray(row * width, (row + 1) * width), i * width);
    noise.normals(eps.subarray(i * width, (i + 1) * width), width, firstIndex + row, step);
  });
  const whole: FloatTensor = { dtype: "float32", shape, data: x0 };
  const filled = Int32Array.from({ length: padded }, (_, i) => at(rows, i % rows.length));
  return { rows: filled, x0: whole, xt: qSample(whole, { dtype: "float32", shape, data: eps }, schedule, step) };
}

/** L_{t−1}, or L_0, and the error of x̂_0 for each row of a batch. */
async function evaluate(
  setup: BoundSetup,
  transition: Transition,
  { rows, x0, xt }: Batch,
): Promise<{ losses: Float64Array; squaredErrors: Float64Array }> {
  const { width, scale } = setup;
  const estimate = await setup.walk.estimate(xt, transition.step, rows);
  const { mean, logVariance } = reverseGaussian(estimate, xt, transition, setup.variance);
  const term = transition.previousStep === -1 ? decoding(setup) : divergence(transition);
  const losses = new Float64Array(mean.length / width);
  const squaredErrors = new Float64Array(losses.length);
  for (let i = 0; i < mean.length; i++) {
    const row = Math.floor(i / width);
    const x = x0.data[i] as number;
    const log = typeof logVariance === "number" ? logVariance : (logVariance[i] as number);
    losses[row] = (losses[row] as number) + term(x, xt.data[i] as number, mean[i] as number, log);
    const error = (scale[i % width] as number) * (x - (estimate.x0.data[i] as number));
    squaredErrors[row] = (squaredErrors[row] as number) + error ** 2 / width;
  }
  return { losses, squaredErrors };
}

/** A term of one value, from x_0, x_t and the model's Gaussian. */
type ValueTerm = (x0: number, xt: number, mean: number, logVariance: number) => number;

/** L_{t−1}: KL(q(x_s|x_t, x_0) ‖ p_θ(x_s|x_t)). */
function divergence({ schedule, step, previousStep }: Transition): ValueTerm {
  const of = posteriorMeanCoefficients(schedule, step, previousStep);
  const exact = Math.log(posteriorVariance(schedule, step, previousStep));
  return (x0, xt, mean, logVariance) => gaussianKl(of.x0 * x0 + of.xt * xt, exact, mean, logVariance);
}

/** L_0: −log p_θ(x_0|x_1). */
function decoding({ decoder }: BoundSetup): ValueTerm {
  return (x0, _xt, mean, logVariance) => -decoder(x0, mean, logVariance);
}

/**
 * Nats for a whole sample as bits for each of its values.
 * @param width D
 */
export function bitsPerDimension(nats: number, width: number): number {
  if (!(width >= 1)) throw new UnnoiseError("usage", `width: expected an integer ≥ 1, got ${width}`);
  return nats / (width * Math.LN2);
}
