import { normalCdf } from "../math/special.ts";

/**
 * log p_θ(x_0|x_1) of one value: the last term of the bound.
 * @param x the value, data units
 * @param mean μ_θ
 * @param logVariance log σ²
 * @returns nats
 */
export type Decoder = (x: number, mean: number, logVariance: number) => number;

const LOG_TWO_PI = Math.log(2 * Math.PI);

/** log N(x; μ, σ²) of one value, in nats: the decoder of continuous data. */
export function gaussianLogDensity(x: number, mean: number, logVariance: number): number {
  return -0.5 * (LOG_TWO_PI + logVariance + (x - mean) ** 2 * Math.exp(-logVariance));
}

/** Half the distance of 256 grey levels on [−1, 1]. */
const HALF_BIN = 1 / 255;
/** Values beyond belong to the outer bins, which are open. */
const OUTER = 0.999;
const FLOOR = 1e-12;

/**
 * The probability that N(μ, σ²) gives to the bin of x among 256 on [−1, 1], as its logarithm: log(Φ((x + 1/255 − μ)/σ) − Φ((x −
 * 1/255 − μ)/σ)), where the outer bins reach to ±∞ (Ho et al. 2020, eq. 13, arXiv 2006.11239). Probabilities below 1e-12 count
 * as 1e-12.
 * @param x one of the values 2k/255 − 1
 * @param mean μ
 * @param logVariance log σ²
 * @param cdf Φ; `tanhNormalCdf` for the published numbers of OpenAI's code
 * @returns nats, ≤ 0
 */
export function discretisedGaussianLogLikelihood(
  x: number,
  mean: number,
  logVariance: number,
  cdf: (z: number) => number = normalCdf,
): number {
  const inverseScale = Math.exp(-logVariance / 2);
  const above = (x + HALF_BIN - mean) * inverseScale;
  const below = (x - HALF_BIN - mean) * inverseScale;
  return Math.log(Math.max(FLOOR, binProbability(x, below, above, cdf)));
}

/** Differences are taken in the lower tail, where they lose no digits. */
function binProbability(x: number, below: number, above: number, cdf: (z: number) => number): number {
  if (x < -OUTER) return cdf(above);
  if (x > OUTER) return cdf(-below);
  return below > 0 ? cdf(-below) - cdf(-above) : cdf(above) - cdf(below);
}

/** Φ(x) ≈ ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), off by up to 2e-4 (Page 1977, "Approximations to the cumulative normal function"). */
export function tanhNormalCdf(x: number): number {
  return 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/**
 * `density` for points; `discretised` for 8-bit images scaled to [−1, 1]; `discretised-tanh` for the same with the approximate
 * Φ of OpenAI's code (Nichol & Dhariwal 2021).
 */
export type DecoderName = "density" | "discretised" | "discretised-tanh";

/** The decoders by name. */
export const decoders: Readonly<Record<DecoderName, Decoder>> = {
  density: gaussianLogDensity,
  discretised: discretisedGaussianLogLikelihood,
  "discretised-tanh": (x, mean, logVariance) => discretisedGaussianLogLikelihood(x, mean, logVariance, tanhNormalCdf),
};
