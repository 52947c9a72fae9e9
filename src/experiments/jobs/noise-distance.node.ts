import { qSample } from "../../diffusion/forward.ts";
import { mixtureLogDensity } from "../../diffusion/oracles/mixture-denoiser.ts";
import { sampleMixture } from "../../diffusion/oracles/mixture-draws.ts";
import type { GaussianMixture } from "../../diffusion/oracles/mixture.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { Random } from "../../math/random.ts";
import { meanOf, type SpreadEstimate } from "../../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import type { JobKind } from "../job.ts";
import { densityOf, openProcess, type ProcessConfig } from "../process.node.ts";

/** Where the distance to noise is measured. */
export interface NoiseDistanceConfig {
  readonly process: ProcessConfig;
  /** t, 1…T. */
  readonly times: readonly number[];
  readonly draws: number;
}

/** Distances in bits for a whole point, one for each time. */
export interface NoiseDistanceValues {
  /** KL(q(x_t) ‖ N(0, I)), by Monte Carlo. */
  readonly kl: readonly number[];
  readonly standardErrors: readonly number[];
  /** E KL(q(x_t|x_0) ‖ N(0, I)), exact. */
  readonly bounds: readonly number[];
}

/** How far the noised data are from noise at each time. */
export const noiseDistanceKind: JobKind<NoiseDistanceConfig, NoiseDistanceValues> = {
  name: "noise-distance",
  version: 1,
  seconds: ({ times, draws }) => 0.3 + times.length * draws * 1e-5,
  run: async ({ process, times, draws }, { onShare }) => {
    const open = await openProcess(process);
    const density = densityOf(process, open);
    const eps = floatTensor(new Float32Array(draws * open.width), [draws, open.width]);
    new Random(process.seed, "noise").normals(eps.data, open.width);
    const estimates = times.map((t, index) => {
      onShare(index / times.length);
      const mixture = density(t - 1);
      const x0 = sampleMixture(mixture, draws, new Random(process.seed, "bound"));
      return klToNoise(mixture, open.schedule, qSample(x0, eps, open.schedule, t - 1), t - 1);
    });
    return {
      values: {
        kl: estimates.map(({ mean }) => mean / Math.LN2),
        standardErrors: estimates.map(({ standardError }) => standardError / Math.LN2),
        bounds: times.map((t) => meanKlToNoise(density(t - 1), open.schedule, t - 1) / Math.LN2),
      },
      arrays: {},
    };
  },
};

/** From this variance of the noise on, N/q has a small variance under q, so that it steadies the estimate. */
const STEADY_NOISE = 0.6;

/**
 * KL(q(x_t) ‖ N(0, I)) = E_q[−log r] with r = N(x; 0, I)/q(x), estimated on draws of q(x_t). Where noise prevails, r − 1, whose mean
 * is exactly 0, is added to each term: r − 1 − log r ≥ 0 is of second order in what is left of the data, and so is its spread.
 * @param xt draws of q(x_t) `[n, D]`
 * @param step t − 1
 * @returns nats
 */
export function klToNoise(
  mixture: GaussianMixture,
  schedule: NoiseSchedule,
  xt: FloatTensor,
  step: number,
): SpreadEstimate {
  const { width } = mixture;
  const logDensities = mixtureLogDensity(mixture, schedule, xt, step);
  const steady = noiseVarianceAt(schedule, step) >= STEADY_NOISE;
  const terms = logDensities.map((logDensity, row) => {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += (xt.data[i] as number) ** 2;
    const logRatio = -0.5 * (squares + width * Math.log(2 * Math.PI)) - logDensity;
    return steady ? Math.expm1(logRatio) - logRatio : -logRatio;
  });
  return meanOf(terms);
}

/**
 * E KL(q(x_t|x_0) ‖ N(0, I)) = ½ (ᾱ_t (E‖x_0‖² − D) − D log(1 − ᾱ_t)) (Ho et al. 2020, L_T of eq. 5, arXiv 2006.11239, at any t): an
 * upper bound of the distance of q(x_t), as KL is convex; what lies between is what x_t tells about x_0.
 * @param step t − 1, in 0…T−1
 * @returns nats
 */
export function meanKlToNoise(mixture: GaussianMixture, schedule: NoiseSchedule, step: number): number {
  const { width } = mixture;
  const alphaCumprod = alphaCumprodAt(schedule, step);
  const logVariance = alphaCumprod < 0.5 ? Math.log1p(-alphaCumprod) : Math.log(noiseVarianceAt(schedule, step));
  return 0.5 * (alphaCumprod * (meanSquareOf(mixture) - width) - width * logVariance);
}

/** E‖x_0‖² = Σ_k w_k (‖m_k‖² + tr Σ_k). */
function meanSquareOf({ width, weights, means, variances }: GaussianMixture): number {
  return weights.reduce((sum, weight, k) => {
    const shared = variances.length === width;
    let square = 0;
    for (let d = 0; d < width; d++) {
      square += (means[k * width + d] as number) ** 2 + (variances[(shared ? 0 : k * width) + d] as number);
    }
    return sum + weight * square;
  }, 0);
}
