import { UnnoiseError } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { weightedSum } from "../combine.ts";
import { transitionBeta } from "../forward.ts";
import { sampleWidth, type Estimate, type Sampler, type StepCoefficients } from "../sampler.ts";
import { samplerFrom, type Move, type Position } from "../sampling-loop.ts";
import { betaAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import type { Walk } from "../walk.ts";
import { ddimCoefficients } from "./ddim.ts";
import { ddpmCoefficients } from "./ddpm.ts";

/** The predictors: ancestral sampling with β for its variance, DDIM with η = 0, or reverse diffusion. */
export type PredictorName = "ddpm" | "ddim" | "reverse-diffusion";

/**
 * How the corrector measures score and noise: `expected` by √D/√(1 − ᾱ) and √D, their root mean squares where D is large, so that
 * the step size is 2α r² (1 − ᾱ) for all samples; `sample` by the norms of each sample.
 */
export type CorrectorNorms = "expected" | "sample";

/** What `predictorCorrector` takes. */
export interface PredictorCorrectorOptions {
  /** `reverse-diffusion` if absent, as in the paper's Algorithm 3. */
  readonly predictor?: PredictorName;
  /** M of the paper: corrector steps after each predictor step, an integer ≥ 0; 1 if absent. */
  readonly corrections?: number;
  /** r, the corrector's signal-to-noise ratio, > 0; 0.16 if absent. */
  readonly snr?: number;
  /** `expected` if absent. */
  readonly norms?: CorrectorNorms;
}

/**
 * One step of the reverse diffusion sampler: x_s = (2 − √(1 − β)) x_t + β s_θ(x_t, t) + √β z with s_θ = −ε_θ/√(1 − ᾱ_t) (Song et
 * al. 2021, Algorithm 3, arXiv 2011.13456; β_{t|s} for steps that are not neighbours). The step to the data is x̂_0, Tweedie's
 * formula, as the paper's appendix G advises.
 * @param step t, in 0…T−1
 * @param previousStep s < t, in −1…T−2
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function reverseDiffusionCoefficients(
  schedule: NoiseSchedule,
  step: number,
  previousStep: number,
): StepCoefficients {
  const beta = transitionBeta(schedule, step, previousStep);
  if (previousStep === -1) return { xt: 0, x0: 1, eps: 0, noise: 0 };
  const eps = -beta / Math.sqrt(noiseVarianceAt(schedule, step));
  return { xt: 2 - Math.sqrt(1 - beta), x0: 0, eps, noise: Math.sqrt(beta) };
}

const predictors: Record<PredictorName, (schedule: NoiseSchedule, t: number, s: number) => StepCoefficients> = {
  ddpm: (schedule, t, s) => ddpmCoefficients(schedule, t, s, "large"),
  ddim: (schedule, t, s) => ddimCoefficients(schedule, t, s, 0),
  "reverse-diffusion": reverseDiffusionCoefficients,
};

/**
 * Predictor–corrector sampling for a variance-preserving process (Song et al. 2021, Algorithms 1, 3 and 5, arXiv 2011.13456): after
 * each predictor step, M steps of Langevin dynamics at the step reached, x + ε g + √(2ε) z with g = s_θ(x, s) and ε = 2α_s (r
 * ‖z‖/‖g‖)². The data, s = −1, are not corrected.
 *
 * The paper's code takes means of both norms over the batch; here a sample never depends on its batch. `sample` norms come near
 * that where D is large, as in images. Where D is small they fail: ‖g‖ vanishes at the modes, ε has no finite mean for D ≤ 2, and
 * the correction pushes samples apart. So `expected` is the default.
 * @returns a sampler; each run takes `SamplerOptions`; each step asks the denoiser 1 + M times
 * @throws UnnoiseError `usage` for an option out of range
 */
export function predictorCorrector(options: PredictorCorrectorOptions = {}): Sampler {
  const { predictor = "reverse-diffusion", corrections = 1, snr = 0.16, norms = "expected" } = options;
  checkOptions(corrections, snr);
  return samplerFrom({
    name: "predictor-corrector",
    begin: (walk) => async (xt, position) => {
      const move = await predict(walk, xt, position, predictors[predictor]);
      let xPrevious = move.xPrevious;
      if (position.previousStep === -1) return move;
      for (let draw = 1; draw <= corrections; draw++) {
        const z = walk.normals(position.step, draw);
        xPrevious = await correct(walk, xPrevious, z, position.previousStep, { snr, norms });
      }
      return { ...move, xPrevious };
    },
  });
}

function checkOptions(corrections: number, snr: number): void {
  if (!Number.isInteger(corrections) || corrections < 0) {
    throw new UnnoiseError("usage", `corrections: expected an integer ≥ 0, got ${corrections}`);
  }
  if (!(snr > 0 && snr < Infinity)) throw new UnnoiseError("usage", `snr: expected a number > 0, got ${snr}`);
}

async function predict(
  walk: Walk,
  xt: FloatTensor,
  { step, previousStep }: Position,
  coefficients: (schedule: NoiseSchedule, t: number, s: number) => StepCoefficients,
): Promise<Move> {
  const weights = coefficients(walk.schedule, step, previousStep);
  const { x0, eps, terms } = await walk.estimate(xt, step);
  const mean = [[weights.xt, xt] as const, ...terms(weights.x0, weights.eps)];
  const noise = weights.noise === 0 ? [] : [[weights.noise, walk.normals(step)] as const];
  return { x0, eps, xPrevious: weightedSum([...mean, ...noise]) };
}

async function correct(
  walk: Walk,
  xs: FloatTensor,
  z: FloatTensor,
  step: number,
  { snr, norms }: { readonly snr: number; readonly norms: CorrectorNorms },
): Promise<FloatTensor> {
  const said = await walk.estimate(xs, step);
  const deviation = Math.sqrt(noiseVarianceAt(walk.schedule, step));
  // With g = −ε_θ/√(1 − ᾱ) and c = 2 r² α ‖z‖²/‖ε_θ‖², the step ε is c (1 − ᾱ).
  const unit = 2 * (1 - betaAt(walk.schedule, step)) * snr ** 2;
  if (norms === "expected") {
    return weightedSum([[1, xs], ...said.terms(0, -unit * deviation), [Math.sqrt(2 * unit) * deviation, z]]);
  }
  const sizes = squaredNormRatios(z, said).map((ratio) => unit * ratio);
  return weightedSum([
    [1, xs],
    [sizes.map((c) => -c * deviation), said.eps],
    [sizes.map((c) => Math.sqrt(2 * c) * deviation), z],
  ]);
}

/** ‖z‖²/‖ε‖² of each sample, once for each of its values. */
function squaredNormRatios({ data: z, shape }: FloatTensor, { eps: { data: eps } }: Estimate): Float64Array {
  const width = sampleWidth(shape);
  const ratios = new Float64Array(z.length);
  for (let offset = 0; offset < z.length; offset += width) {
    const [a, b] = [z, eps].map((values) => squaredNorm(values.subarray(offset, offset + width))) as [number, number];
    ratios.fill(a / b, offset, offset + width);
  }
  return ratios;
}

function squaredNorm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value ** 2;
  return sum;
}
