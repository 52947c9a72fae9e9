import { UnnoiseError } from "../math/error.ts";
import { roundHalfEven } from "../math/round-half-even.ts";
import { checkCount, explicitSteps, leadingSteps, linspaceSteps } from "./steps.ts";

/**
 * Steps as OpenAI's code spaces them (Nichol & Dhariwal 2021, arXiv 2102.09672): the schedule is cut into as many equal sections
 * as there are counts, the first ones a step longer where T does not divide; each gives its count at a fractional stride from its
 * first step to its last, summed up and rounded half to even. A section that gives one step gives its first.
 * @param timesteps T, steps of the schedule
 * @param counts steps of each section, the least noisy first; a number stands for a single section
 * @returns distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for a count that is not in 1…its section's length
 */
export function openaiSteps(timesteps: number, counts: number | readonly number[]): Int32Array {
  const sections = typeof counts === "number" ? [counts] : counts;
  const [shortest, longer] = [Math.floor(timesteps / sections.length), timesteps % sections.length];
  const steps: number[] = [];
  let start = 0;
  for (const [i, count] of sections.entries()) {
    const size = shortest + (i < longer ? 1 : 0);
    checkCount(size, count);
    const stride = count === 1 ? 1 : (size - 1) / (count - 1);
    for (let k = 0, offset = 0; k < count; k++, offset += stride) steps.push(start + roundHalfEven(offset));
    start += size;
  }
  return explicitSteps(timesteps, steps);
}

/**
 * OpenAI's `ddimN`: 0, k, 2k, … below T with the smallest whole stride k that gives exactly N steps.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` when no stride gives N steps
 */
export function openaiDdimSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  // ⌈T/k⌉ = N has its smallest solution at k = ⌈T/N⌉, if it has one; the code tries k < T only.
  const stride = Math.ceil(timesteps / count);
  if (Math.ceil(timesteps / stride) !== count || stride >= timesteps) {
    throw new UnnoiseError("usage", `steps: no whole stride gives ${count} of T = ${timesteps} steps; use openaiSteps`);
  }
  return multiples(timesteps, stride);
}

/**
 * `uniform` of the DDIM authors' code: 0, k, 2k, … below T with k = ⌊T/N⌋; more than N steps where k does not divide T (31 for
 * N = 30 of T = 1000).
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns at least N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function ddimUniformSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  return multiples(timesteps, Math.floor(timesteps / count));
}

/**
 * `quad` of the DDIM authors' code: N numbers evenly from 0 to √(0.8 T), squared and cut to integers. Sampling begins near
 * 0.8 T. That code visits a step that occurs twice for a second time, which moves nothing; here it is listed once.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns at most N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function ddimQuadraticSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  const end = Math.sqrt(timesteps * 0.8);
  const stride = end / (count - 1);
  const root = (i: number): number => (i === 0 ? 0 : i === count - 1 ? end : i * stride);
  const steps = Array.from({ length: count }, (_, i) => Math.trunc(root(i) * root(i)));
  return explicitSteps(timesteps, [...new Set(steps)]);
}

/**
 * `leading` of diffusers (DDPM, DDIM, Euler): i·⌊T/N⌋ + offset.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @param offset `steps_offset`, an integer ≥ 0; Stable Diffusion's is 1
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T, or an offset that leads past T−1
 */
export function diffusersLeadingSteps(timesteps: number, count: number, offset: number = 0): Int32Array {
  return explicitSteps(
    timesteps,
    leadingSteps(timesteps, count).map((step) => step + offset),
  );
}

/**
 * `trailing` of diffusers: round(T − i·T/N) − 1 with the rounding of NumPy's `arange`, whose stride is the difference of its
 * first two values. For some N (29 of T = 100) that range has a value too many, which diffusers takes for step −1; it is left out.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function diffusersTrailingSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  const stride = timesteps - timesteps / count - timesteps;
  return Int32Array.from({ length: count }, (_, i) => roundHalfEven(timesteps + i * stride) - 1);
}

/**
 * `linspace` of diffusers (DDPM, DDIM, Euler): `linspaceSteps`, but the step is 0 for N = 1.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function diffusersLinspaceSteps(timesteps: number, count: number): Int32Array {
  return count === 1 ? Int32Array.of(0) : linspaceSteps(timesteps, count);
}

function multiples(timesteps: number, stride: number): Int32Array {
  return Int32Array.from({ length: Math.ceil(timesteps / stride) }, (_, i) => i * stride).reverse();
}
