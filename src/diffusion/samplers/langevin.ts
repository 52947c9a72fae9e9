import { UnnoiseError } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { weightedSum } from "../combine.ts";
import type { Sampler } from "../sampler.ts";
import { samplerFrom, type Move, type Position } from "../sampling-loop.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import type { Walk } from "../walk.ts";

/** Where the score of a Gaussian of the level's own width turns an update into an unstable one. */
const MAX_STEP_SIZE = 4;

/** What `langevin` takes. */
export interface LangevinOptions {
  /** T of the paper: updates at each level, an integer ≥ 1; 5 if absent. */
  readonly innerSteps?: number;
  /** ε/σ_L², the step size in units of the smallest level's variance, > 0 and < 4; 1 if absent. */
  readonly stepSize?: number;
  /** Whether to end on x̂_0 of the last state instead of the state itself; true if absent. */
  readonly denoise?: boolean;
}

/** Weights of one Langevin update, in x_t: it keeps its weight 1, ε and z get these. */
export interface LangevinCoefficients {
  readonly eps: number;
  readonly noise: number;
}

/**
 * One update of Langevin dynamics at a level: x̃ + α/2 · s(x̃, σ) + √α z with α = ε σ²/σ_L² and s = −ε_θ/σ (Song & Ermon 2019,
 * Algorithm 1, arXiv 1907.05600). In x_t = √ᾱ_t x̃ it is x_t − r/2 √(1 − ᾱ_t) ε_θ + √r √(1 − ᾱ_t) z, r = ε/σ_L².
 * @param step t, in 0…T−1
 * @param stepSize r
 * @throws UnnoiseError `usage` for a step outside the schedule
 */
export function langevinCoefficients(schedule: NoiseSchedule, step: number, stepSize: number): LangevinCoefficients {
  const noise = Math.sqrt(noiseVarianceAt(schedule, step));
  return { eps: (-stepSize / 2) * noise, noise: Math.sqrt(stepSize) * noise };
}

/**
 * Annealed Langevin dynamics (Song & Ermon 2019, Algorithm 1, arXiv 1907.05600) with a denoiser as the score of x̃ = x_t/√ᾱ_t,
 * whose noise has σ = √((1 − ᾱ_t)/ᾱ_t). The levels σ_1 > … > σ_L are the run's steps; the paper's equal ratios are
 * `logSnrSteps`. It starts from x_T instead of uniform noise, and where ᾱ_T = 0, so that σ is infinite, that level hands x_T on as
 * it is. The last level ends on x̂_0 (Jolicoeur-Martineau et al. 2020, arXiv 2009.05475), which asks the denoiser once more.
 *
 * The defaults suit 20 levels of equal ratios and a network trained on points: fewer and larger updates than the paper's (100
 * with r = 0.2). The variance that large updates add, up to a third of a level's, is gone with x̂_0. Each step of the run shows
 * the last state that was evaluated at its level.
 * @returns a sampler; each run takes `SamplerOptions`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function langevin({ innerSteps = 5, stepSize = 1, denoise = true }: LangevinOptions = {}): Sampler {
  checkOptions(innerSteps, stepSize);
  return samplerFrom({
    name: "langevin",
    begin: (walk) => async (xt, position) => {
      const move = await level(walk, xt, position.step, { innerSteps, stepSize });
      if (denoise && position.previousStep === -1) return denoised(walk, move.xPrevious, position.step);
      return { ...move, xPrevious: handOn(move.xPrevious, walk.schedule, position) };
    },
  });
}

function checkOptions(innerSteps: number, stepSize: number): void {
  if (!Number.isInteger(innerSteps) || innerSteps < 1) {
    throw new UnnoiseError("usage", `innerSteps: expected an integer ≥ 1, got ${innerSteps}`);
  }
  if (!(stepSize > 0 && stepSize < MAX_STEP_SIZE)) {
    throw new UnnoiseError("usage", `stepSize: expected a number > 0 and < ${MAX_STEP_SIZE}, got ${stepSize}`);
  }
}

/** All updates at one level. */
async function level(
  walk: Walk,
  start: FloatTensor,
  step: number,
  { innerSteps, stepSize }: Required<Pick<LangevinOptions, "innerSteps" | "stepSize">>,
): Promise<Move> {
  const weights = langevinCoefficients(walk.schedule, step, stepSize);
  const update = async (xt: FloatTensor, draw: number): Promise<Move> => {
    const { x0, eps, terms } = await walk.estimate(xt, step);
    const noise = [weights.noise, walk.normals(step, draw)] as const;
    return { xt, x0, eps, xPrevious: weightedSum([[1, xt], ...terms(0, weights.eps), noise]) };
  };
  let move = await update(start, 0);
  for (let draw = 1; draw < innerSteps; draw++) move = await update(move.xPrevious, draw);
  return move;
}

async function denoised(walk: Walk, xt: FloatTensor, step: number): Promise<Move> {
  const { x0, eps } = await walk.estimate(xt, step);
  return { xt, x0, eps, xPrevious: x0 };
}

/** x̃ stays as it is: x_s = √(ᾱ_s/ᾱ_t) x_t. */
function handOn(xt: FloatTensor, schedule: NoiseSchedule, { step, previousStep }: Position): FloatTensor {
  const [here, there] = [alphaCumprodAt(schedule, step), alphaCumprodAt(schedule, previousStep)];
  return here === 0 ? xt : weightedSum([[Math.sqrt(there / here), xt]]);
}
