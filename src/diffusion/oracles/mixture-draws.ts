import { UnnoiseError } from "../../math/error.ts";
import type { Random } from "../../math/random.ts";
import { RunningMean, type MeanEstimate } from "../../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "../posterior.ts";
import { alphaCumprodAt, betaAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import { drawRows } from "./draw-rows.ts";
import type { GaussianMixture } from "./mixture.ts";
import { NoisedMixture, noisedMixture } from "./noised-mixture.ts";
import { posteriorTraceOf } from "./posterior-trace.ts";

/** How to draw for an estimate. */
export interface EstimateOptions {
  /** Number of draws, an integer ≥ 2. */
  readonly count: number;
  /** Where the draws come from, e.g. `new Random(7, "metric")`. */
  readonly random: Random;
}

/**
 * Draws from a Gaussian mixture. Sample i of a generator is the same whatever the count.
 * @param count an integer ≥ 1
 * @param firstIndex number of the first sample, ≥ 0
 * @returns `[count, D]`
 * @throws UnnoiseError `usage` for another count
 */
export function sampleMixture(mixture: GaussianMixture, count: number, random: Random, firstIndex = 0): FloatTensor {
  checkCount(count, 1);
  const { width } = mixture;
  const out = new Float32Array(count * width);
  const options = { count, random, address: 0, firstIndex };
  drawRows(new NoisedMixture(mixture, 1, 0), options, (row, i) => out.set(row, i * width));
  return floatTensor(out, [count, width]);
}

/**
 * The entropy −E log p(x_0) of a Gaussian mixture, in nats for a whole sample: the least negative log-likelihood that any model
 * of such data can reach on average.
 * @throws UnnoiseError `usage` for another count, or a component of zero variance
 */
export function mixtureEntropy(mixture: GaussianMixture, options: EstimateOptions): MeanEstimate {
  const noised = new NoisedMixture(mixture, 1, 0);
  if (!noised.dense)
    throw new UnnoiseError("usage", "mixture: components of zero variance have no density, no entropy");
  return estimate(noised, 0, options, () => -noised.logDensity);
}

/**
 * The least loss of any denoiser at a step: E‖ε − E[ε|x_t]‖²/D = ᾱ_t/(1 − ᾱ_t) · E tr Cov(x_0|x_t)/D. Each draw of x_t gives its exact
 * posterior covariance, which varies less than the squared error of a drawn ε (Rao–Blackwell). 0 at ᾱ_T = 0, where x_t is ε.
 * @param step 0…T−1; each step has its own draws
 * @returns the loss per value, as L_simple counts it; exact for a single Gaussian
 * @throws UnnoiseError `usage` for another count or a step outside 0…T−1
 */
export function bayesLoss(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  step: number,
  options: EstimateOptions,
): MeanEstimate {
  const variance = posteriorVariancePerValue(mixture, schedule, step, options);
  return scaled(variance, alphaCumprodAt(schedule, step) / noiseVarianceAt(schedule, step));
}

/** What `optimalVariance` takes. */
export interface OptimalVarianceOptions extends EstimateOptions {
  /** s < t, in −1…T−2; t − 1 if absent. */
  readonly previousStep?: number;
  /** λ², the variance of q(x_s|x_t, x_0) in 0…1 − ᾱ_s: β̃ of DDPM if absent, 0 for DDIM. */
  readonly posteriorVariance?: number;
}

/**
 * The best isotropic variance of the reverse step from t to s for a perfect denoiser: σ*² = λ² + c² E tr Cov(x_0|x_t)/D, with c =
 * √ᾱ_s − √(1 − ᾱ_s − λ²) √(ᾱ_t/(1 − ᾱ_t)) the weight of x_0 in the mean of q(x_s|x_t, x_0) (Bao et al. 2022, theorem 1, arXiv
 * 2201.06503, which writes the covariance by the score: E tr Cov(x_0|x_t)/D = (1 − ᾱ_t)/ᾱ_t · (1 − (1 − ᾱ_t) E‖∇ log p(x_t)‖²/D)).
 * @param step t, in 0…T−1; each step has its own draws
 * @throws UnnoiseError `usage` for another count, a λ² out of range, or steps outside the schedule or out of order
 */
export function optimalVariance(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  step: number,
  { previousStep = step - 1, posteriorVariance: given, ...options }: OptimalVarianceOptions,
): MeanEstimate {
  const lambda2 = given ?? posteriorVariance(schedule, step, previousStep);
  const ofX0 =
    given === undefined
      ? posteriorMeanCoefficients(schedule, step, previousStep).x0
      : x0Weight(schedule, step, previousStep, given);
  const { mean, standardError } = scaled(posteriorVariancePerValue(mixture, schedule, step, options), ofX0 ** 2);
  return { mean: lambda2 + mean, standardError };
}

function x0Weight(schedule: NoiseSchedule, step: number, previousStep: number, lambda2: number): number {
  const noiseVariance = noiseVarianceAt(schedule, previousStep);
  if (!(previousStep < step) || !(lambda2 >= 0 && lambda2 <= noiseVariance)) {
    const expected = `0…${noiseVariance} for a step before ${step}`;
    throw new UnnoiseError("usage", `posteriorVariance: expected ${expected}, got ${lambda2} for step ${previousStep}`);
  }
  const ofXt = Math.sqrt((noiseVariance - lambda2) / noiseVarianceAt(schedule, step));
  return Math.sqrt(alphaCumprodAt(schedule, previousStep)) - ofXt * Math.sqrt(alphaCumprodAt(schedule, step));
}

/** E tr Cov(x_0|x_t)/D. */
function posteriorVariancePerValue(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  step: number,
  options: EstimateOptions,
): MeanEstimate {
  betaAt(schedule, step);
  const noised = noisedMixture(mixture, schedule, step);
  const trace = posteriorTraceOf(noised);
  return estimate(noised, 2 * (step + 1), options, () => trace() / mixture.width);
}

/** The mean of `value` over rows drawn from `noised`. */
function estimate(
  noised: NoisedMixture,
  address: number,
  { count, random }: EstimateOptions,
  value: () => number,
): MeanEstimate {
  checkCount(count, 2);
  const running = new RunningMean();
  drawRows(noised, { count, random, address }, (row) => {
    noised.read(row, 0);
    running.add(value());
  });
  return running.estimate();
}

function scaled({ mean, standardError }: MeanEstimate, factor: number): MeanEstimate {
  return { mean: factor * mean, standardError: factor * standardError };
}

function checkCount(count: number, least: number): void {
  if (Number.isInteger(count) && count >= least) return;
  throw new UnnoiseError("usage", `count: expected an integer ≥ ${least}, got ${count}`);
}
