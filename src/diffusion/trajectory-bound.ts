import { meanOf } from "../math/running-mean.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { logScaleOf, type NegativeLogLikelihood } from "./bound.ts";
import { boundSetup, drawNoise, rowsOf, type BoundOptions, type BoundSetup } from "./bound-options.ts";
import { gaussianLogDensity } from "./decoder.ts";
import { forwardStep, transitionAlpha, transitionBeta } from "./forward.ts";
import { reverseGaussian, type Transition } from "./reverse-transition.ts";

/**
 * The first form of the bound: E[−log p(x_T) − Σ_{t≥1} log p_θ(x_{t−1}|x_t)/q(x_t|x_{t−1})] over whole chains x_1…x_T drawn step by
 * step (Ho et al. 2020, eq. 3, arXiv 2006.11239). Its expectation is that of `variationalBound`, its variance is not: with an
 * exact model the noise of a chain cancels and only the spread of −log p(x_0) is left; with wrong variances it is far larger.
 * @returns the total, in nats for a whole sample, standardised units
 * @throws UnnoiseError as `variationalBound`
 */
export async function trajectoryBound(options: BoundOptions): Promise<NegativeLogLikelihood> {
  const setup = boundSetup("trajectory bound", options);
  const rowTotals = new Float64Array(setup.rows);
  for (let first = 0; first < setup.rows; first += setup.batchRows) {
    const count = Math.min(setup.batchRows, setup.rows - first);
    await followRows(setup, first, rowTotals.subarray(first, first + count));
  }
  const { rows, width } = setup;
  return { rows, width, logScale: logScaleOf(setup), total: meanOf(rowTotals), rowTotals };
}

/** Draws the chains of some rows and adds up −log p_θ(x_0:T)/q(x_1:T|x_0). */
async function followRows(setup: BoundSetup, first: number, totals: Float64Array): Promise<void> {
  const { transitions, schedule } = setup;
  let previous = rowsOf(setup, first, totals.length);
  for (const [index, transition] of transitions.entries()) {
    const { step, previousStep } = transition;
    const eps = drawNoise(setup, first, totals.length, schedule.timesteps + step);
    const xt = forwardStep(previous, eps, schedule, step, previousStep);
    await addTransition(setup, transition, previous, xt, totals);
    previous = xt;
    setup.onProgress((first + (totals.length * (index + 1)) / transitions.length) / setup.rows);
  }
  addValues(totals, setup.width, (i) => -gaussianLogDensity(previous.data[i] as number, 0, 0));
}

/** log q(x_t|x_s) − log p_θ(x_s|x_t) */
async function addTransition(
  setup: BoundSetup,
  transition: Transition,
  { data: xs }: FloatTensor,
  xt: FloatTensor,
  totals: Float64Array,
): Promise<void> {
  const { schedule, step, previousStep } = transition;
  const estimate = await setup.walk.estimate(xt, step);
  const { mean, logVariance } = reverseGaussian(estimate, xt, transition, setup.variance);
  const decode = previousStep === -1 ? setup.decoder : gaussianLogDensity;
  const signal = Math.sqrt(transitionAlpha(schedule, step, previousStep));
  const logBeta = Math.log(transitionBeta(schedule, step, previousStep));
  addValues(totals, setup.width, (i) => {
    const x = xs[i] as number;
    const log = typeof logVariance === "number" ? logVariance : (logVariance[i] as number);
    return gaussianLogDensity(xt.data[i] as number, signal * x, logBeta) - decode(x, mean[i] as number, log);
  });
}

function addValues(totals: Float64Array, width: number, value: (i: number) => number): void {
  for (let row = 0; row < totals.length; row++) {
    let sum = totals[row] as number;
    for (let i = row * width; i < (row + 1) * width; i++) sum += value(i);
    totals[row] = sum;
  }
}
