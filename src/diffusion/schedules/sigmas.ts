import { UnnoiseError } from "../../math/error.ts";
import { scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { checkTimesteps } from "./range.ts";

const MAX_SIGMA = 1e100;

/** What families take whose noise levels are given as σ = √((1 − ᾱ)/ᾱ), the noise's standard deviation over the signal's scale. */
export interface SigmaRangeOptions {
  /** T, an integer in 1…1,000,000; default 1000. */
  readonly timesteps?: number;
  /** σ_1, > 0. */
  readonly sigmaMin?: number;
  /** σ_T, > σ_1. */
  readonly sigmaMax?: number;
}

/**
 * Builds a schedule from noise levels: ᾱ_t = 1/(1 + σ_t²), the variance-preserving form of x̃_t = x_0 + σ_t ε (Karras et al.
 * 2022, table 1, arXiv 2206.00364). The betas are (σ_t − σ_{t−1})(σ_t + σ_{t−1})/(1 + σ_t²) with σ_0 = 0: no digits are lost
 * where they are small.
 * @param sigmas σ_1…σ_T, ascending, in (0, 1e100]
 * @throws UnnoiseError `usage` for no sigmas, or sigmas out of range, out of order or too far apart for float64
 */
export function scheduleFromSigmas(sigmas: ArrayLike<number>): NoiseSchedule {
  checkTimesteps(sigmas.length);
  let before = 0;
  const betas = Float64Array.from(sigmas, (sigma, step) => {
    if (!(sigma > before && sigma <= MAX_SIGMA)) {
      throw new UnnoiseError(
        "usage",
        `sigmas[${step}]: expected a number > ${before} and ≤ ${MAX_SIGMA}, got ${sigma}`,
      );
    }
    const beta = ((sigma - before) * (sigma + before)) / (1 + sigma ** 2);
    checkApart(beta, sigma, before, step);
    before = sigma;
    return beta;
  });
  return scheduleFromBetas(betas);
}

function checkApart(beta: number, sigma: number, before: number, step: number): void {
  if (beta > 0 && beta < 1) return;
  const fault = beta === 0 ? "too small" : "too far from the one before";
  throw new UnnoiseError(
    "usage",
    `sigmas[${step}]: ${sigma} after ${before} is ${fault} for float64; use other sigmas or more timesteps`,
  );
}

function checkSigmas(sigmaMin: number, sigmaMax: number): void {
  if (!(sigmaMin > 0 && sigmaMin < Infinity)) {
    throw new UnnoiseError("usage", `sigmaMin: expected a number > 0, got ${sigmaMin}`);
  }
  if (!(sigmaMax > sigmaMin && sigmaMax <= MAX_SIGMA)) {
    throw new UnnoiseError(
      "usage",
      `sigmaMax: expected a number > sigmaMin = ${sigmaMin} and ≤ ${MAX_SIGMA}, got ${sigmaMax}`,
    );
  }
}

/** σ_1…σ_T along a curve from `sigmaMin` (part 0) to `sigmaMax` (part 1), both exact; with T = 1 only `sigmaMax`. */
function ramp(
  { timesteps, sigmaMin, sigmaMax }: Required<SigmaRangeOptions>,
  curve: (part: number) => number,
): Float64Array {
  checkTimesteps(timesteps);
  checkSigmas(sigmaMin, sigmaMax);
  return Float64Array.from({ length: timesteps }, (_, step) => {
    if (step === timesteps - 1) return sigmaMax;
    return step === 0 ? sigmaMin : curve(step / (timesteps - 1));
  });
}

/**
 * Noise levels in equal ratios: σ_t = σ_min (σ_max/σ_min)^((t − 1)/(T − 1)) (Song and Ermon 2019, section 4.1, arXiv 1907.05600,
 * who count from the largest).
 * @param options T, σ_min (default 0.01), σ_max (default 100: for data of unit variance SNR_T = 1e-4)
 * @throws UnnoiseError `usage` for a number out of range
 */
export function geometricSchedule({
  timesteps = 1000,
  sigmaMin = 0.01,
  sigmaMax = 100,
}: SigmaRangeOptions = {}): NoiseSchedule {
  const growth = Math.log(sigmaMax / sigmaMin);
  return scheduleFromSigmas(ramp({ timesteps, sigmaMin, sigmaMax }, (part) => sigmaMin * Math.exp(part * growth)));
}

/** What `karrasSchedule` and `karrasSigmas` take. */
export interface KarrasScheduleOptions extends SigmaRangeOptions {
  /** ρ, > 0: the larger, the more of the steps have little noise; default 7. */
  readonly rho?: number;
}

/**
 * Noise levels of Karras et al. 2022, eq. 5 (arXiv 2206.00364): σ_t = (σ_min^(1/ρ) + (t − 1)/(T − 1) (σ_max^(1/ρ) − σ_min^(1/ρ)))^ρ,
 * here counted from the smallest.
 * @param options T, σ_min (default 0.002), σ_max (default 80), ρ (default 7)
 * @returns σ_1…σ_T, ascending
 * @throws UnnoiseError `usage` for a number out of range
 */
export function karrasSigmas(options: KarrasScheduleOptions = {}): Float64Array {
  const { timesteps = 1000, sigmaMin = 0.002, sigmaMax = 80, rho = 7 } = options;
  if (!(rho > 0 && rho < Infinity)) throw new UnnoiseError("usage", `rho: expected a number > 0, got ${rho}`);
  const [low, high] = [sigmaMin ** (1 / rho), sigmaMax ** (1 / rho)];
  return ramp({ timesteps, sigmaMin, sigmaMax }, (part) => (low + part * (high - low)) ** rho);
}

/**
 * The schedule whose noise levels are `karrasSigmas`. The published range 0.002…80 is kept although it was chosen for data with
 * standard deviation 0.5: standardised data lose nothing at 0.002, and at 80 SNR_T = 1.6e-4.
 * @throws UnnoiseError `usage` for a number out of range
 */
export function karrasSchedule(options: KarrasScheduleOptions = {}): NoiseSchedule {
  return scheduleFromSigmas(karrasSigmas(options));
}
