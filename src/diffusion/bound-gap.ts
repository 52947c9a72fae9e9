import { at, invariant } from "../math/error.ts";
import type { Random } from "../math/random.ts";
import { RunningMean, meanOf, type MeanEstimate, type SpreadEstimate } from "../math/running-mean.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import type { NegativeLogLikelihood } from "./bound.ts";
import type { BoundOptions } from "./bound-options.ts";
import { mixtureDenoiser, mixtureLogDensity } from "./oracles/mixture-denoiser.ts";
import { optimalVariance } from "./oracles/mixture-draws.ts";
import type { GaussianMixture } from "./oracles/mixture.ts";
import { conversionOf } from "./parameterisation.ts";
import { posteriorMeanCoefficients, posteriorVariance } from "./posterior.ts";
import { transitionsOf } from "./reverse-transition.ts";
import type { Denoiser, Prediction } from "./sampler.ts";
import { snr, type NoiseSchedule } from "./schedule.ts";
import { trajectoryBound } from "./trajectory-bound.ts";

/** What `boundGap` takes: the bound of a network, and the distribution of its data. */
export interface BoundGapOptions extends Omit<BoundOptions, "decoder" | "clip" | "threshold" | "epsAfterLimit"> {
  /** The distribution that x_0 comes from, in the units of x_0. */
  readonly mixture: GaussianMixture;
  /** Where the draws for the best variances come from, e.g. `new Random(7, "metric")`. */
  readonly random: Random;
  /** Draws for the best variance of each step, ≥ 2; 200 if absent. */
  readonly draws?: number;
}

/** What a network loses at one step, as L_simple counts it. */
export interface StepLoss {
  readonly step: number;
  /** E‖ε − E[ε|x_t]‖²/D: what no network can avoid. */
  readonly bayes: number;
  /** E‖ε_θ − E[ε|x_t]‖²/D: what it adds. */
  readonly excess: MeanEstimate;
}

/** How far a bound is from the entropy, and why: network + variance + discretisation = gap. In nats for a whole sample. */
export interface BoundGap {
  /** By `trajectoryBound`. */
  readonly bound: NegativeLogLikelihood;
  /** E −log p(x_0) over the same x_0. */
  readonly entropy: SpreadEstimate;
  /** bound − entropy. */
  readonly gap: MeanEstimate;
  /** Of the network's mean: bound − bound with E[x_0|x_t] in the place of x̂_0, and the same variances. */
  readonly network: MeanEstimate;
  /** Of the variances: that bound − the one with the best number σ² for each step. */
  readonly variance: MeanEstimate;
  /** Of finitely many Gaussian steps and the prior: that bound − entropy. */
  readonly discretisation: MeanEstimate;
  /** Upwards from t = 1. */
  readonly losses: readonly StepLoss[];
}

const DRAWS = 200;
/** Share of the work that is done after the best variances, the bound of the network, and that of the exact mean. */
const SHARES = [0.35, 0.45, 0.95] as const;

/**
 * Splits the distance of the bound from the entropy of the data: what the network's mean costs, what its variances cost beside
 * the best isotropic ones σ*² (Bao et al. 2022, theorem 1, arXiv 2201.06503), and what is left with both exact. All bounds follow
 * the same chains, so that each difference has the small standard error of its rows' differences.
 * @throws UnnoiseError as `trajectoryBound`; `usage` for a mixture of another width
 */
export async function boundGap(options: BoundGapOptions): Promise<BoundGap> {
  const { mixture, schedule, x0, denoiser, onProgress } = options;
  const between = (from: number, to: number) => (share: number) => onProgress?.(from + (to - from) * share);
  const entropyRows = mixtureLogDensity(mixture, schedule, x0, -1).map((logDensity) => -logDensity);
  const best = bestSteps(options, between(0, SHARES[0]));
  const network = new Replay(denoiser);
  const bound = await trajectoryBound({
    ...options,
    denoiser: network.record,
    onProgress: between(SHARES[0], SHARES[1]),
  });
  const oracle = new Replay(mixtureDenoiser(mixture, schedule));
  const excess = new Map<number, RunningMean>();
  const withMean = await trajectoryBound({
    ...options,
    denoiser: exactMean(network, oracle, excess, schedule),
    onProgress: between(SHARES[1], SHARES[2]),
  });
  const exact = await trajectoryBound({
    ...options,
    variance: (step) => best.get(step)?.variance ?? NaN,
    denoiser: (_, step) => oracle.next(step),
    onProgress: between(SHARES[2], 1),
  });
  return {
    bound,
    entropy: meanOf(entropyRows),
    gap: differenceOf(bound.rowTotals, entropyRows),
    network: differenceOf(bound.rowTotals, withMean.rowTotals),
    variance: differenceOf(withMean.rowTotals, exact.rowTotals),
    discretisation: differenceOf(exact.rowTotals, entropyRows),
    losses: Array.from(best, ([step, { bayes }]) => ({ step, bayes, excess: estimateOf(excess.get(step)) })),
  };
}

/** The exact mean with the variance that the network learned, if any; what the network said in its place is measured. */
function exactMean(
  network: Replay,
  oracle: Replay,
  excess: Map<number, RunningMean>,
  schedule: NoiseSchedule,
): Denoiser {
  return async (xt, step) => {
    const [said, exact] = [network.next(step), await oracle.record(xt, step)];
    addExcess(excess, said, exact.output, { xt, step, schedule });
    return { ...exact, ...(said.variance && { variance: said.variance }) };
  };
}

function asPrediction(said: Prediction | FloatTensor): Prediction {
  return "output" in said ? said : { parameterisation: "eps", output: said };
}

/** Remembers what a denoiser said, to say it again when the same bound asks again. */
class Replay {
  readonly #denoiser: Denoiser;
  readonly #said = new Map<number, Prediction[]>();

  constructor(denoiser: Denoiser) {
    this.#denoiser = denoiser;
  }

  readonly record = async (xt: FloatTensor, step: number): Promise<Prediction> => {
    const said = asPrediction(await this.#denoiser(xt, step));
    const earlier = this.#said.get(step);
    if (earlier) earlier.push(said);
    else this.#said.set(step, [said]);
    return said;
  };

  next(step: number): Prediction {
    const said = this.#said.get(step)?.shift();
    invariant(said, `step ${step} was not recorded`);
    return said;
  }
}

/** Adds ‖ε_θ − ε*‖²/D of each row. */
function addExcess(
  sums: Map<number, RunningMean>,
  { parameterisation, output }: Prediction,
  exact: FloatTensor,
  { xt, step, schedule }: { readonly xt: FloatTensor; readonly step: number; readonly schedule: NoiseSchedule },
): void {
  const { eps } = conversionOf(parameterisation, schedule, step);
  const sum = sums.get(step) ?? new RunningMean();
  sums.set(step, sum);
  const width = xt.data.length / at(xt.shape, 0);
  for (let first = 0; first < xt.data.length; first += width) {
    let squares = 0;
    for (let i = first; i < first + width; i++) {
      const said = eps.xt * (xt.data[i] as number) + eps.output * (output.data[i] as number);
      squares += (said - (exact.data[i] as number)) ** 2;
    }
    sum.add(squares / width);
  }
}

/** What the best variance and the least loss of a step are. */
interface BestStep {
  readonly variance: number;
  readonly bayes: number;
}

/** By step, upwards: σ*² = β̃ + c² E tr Cov(x_0|x_t)/D, and Bayes' loss SNR(t) E tr Cov(x_0|x_t)/D. */
function bestSteps(options: BoundGapOptions, onProgress: (share: number) => void): Map<number, BestStep> {
  const { mixture, schedule, random, draws = DRAWS, steps } = options;
  const transitions = transitionsOf(steps, { schedule });
  const best = transitions.map(({ step, previousStep }, index) => {
    const { mean: variance } = optimalVariance(mixture, schedule, step, { previousStep, count: draws, random });
    const ofX0 = posteriorMeanCoefficients(schedule, step, previousStep).x0;
    const spread = (variance - posteriorVariance(schedule, step, previousStep)) / ofX0 ** 2;
    onProgress((index + 1) / transitions.length);
    return [step, { variance, bayes: snr(schedule, step) * spread }] as const;
  });
  return new Map(best);
}

const estimateOf = (mean: RunningMean | undefined): MeanEstimate => (mean ?? new RunningMean()).estimate();

function differenceOf(a: Float64Array, b: Float64Array): MeanEstimate {
  const { mean, standardError } = meanOf(a.map((value, row) => value - at(b, row)));
  return { mean, standardError };
}
