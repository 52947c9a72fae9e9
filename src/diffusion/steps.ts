import { UnnoiseError, at } from "../math/error.ts";
import { roundHalfEven } from "../math/round-half-even.ts";

/** Throws unless a schedule of T steps can give `count` of them. */
export function checkCount(timesteps: number, count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new UnnoiseError("usage", `steps: expected an integer ≥ 1, got ${count}`);
  }
  if (count > timesteps) throw new UnnoiseError("usage", `steps: expected at most T = ${timesteps}, got ${count}`);
}

function descending(count: number, step: (i: number) => number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => step(i));
}

/**
 * Steps counted back from the last: round(T − i·T/N) − 1 for i = 0…N−1 (Lin et al. 2023, table 2, arXiv 2305.08891). The
 * first is T−1, where x_T belongs, so this is the default.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function trailingSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  return descending(count, (i) => roundHalfEven((timesteps * (count - i)) / count) - 1);
}

/**
 * Steps counted up from the first with stride ⌊T/N⌋: 0, ⌊T/N⌋, 2⌊T/N⌋, … (Song et al. 2020, appendix D.2 "linear", arXiv
 * 2010.02502). The last step of the schedule is missed, so that x_T enters at a step where it does not quite belong.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function leadingSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  const stride = Math.floor(timesteps / count);
  return descending(count, (i) => (count - 1 - i) * stride);
}

/**
 * Steps from T−1 to 0, both included, as evenly as integers allow: round(i·(T − 1)/(N − 1)) (Lin et al. 2023, table 2, arXiv
 * 2305.08891). The stride is rounded before it is multiplied, as NumPy's linspace does, which decides ties. With N = 1 the step
 * is T−1, where NumPy gives 0.
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function linspaceSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  if (count === 1) return Int32Array.of(timesteps - 1);
  const stride = (timesteps - 1) / (count - 1);
  return descending(count, (i) => (i === 0 ? timesteps - 1 : roundHalfEven((count - 1 - i) * stride)));
}

/**
 * Steps whose distance grows with the noise: ((N − 1 − i)/(N − 1))² (T − 1), rounded, for i = 0…N−1 (Song et al. 2020, appendix
 * D.2 "quadratic", arXiv 2010.02502: c·i² with c such that the last is close to T; here it is T−1). Where the first of them would
 * coincide they become 0, 1, 2, …
 * @param timesteps T, steps of the schedule
 * @param count N, in 1…T; with N = 1 the step is T−1
 * @returns N distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export function quadraticSteps(timesteps: number, count: number): Int32Array {
  checkCount(timesteps, count);
  if (count === 1) return Int32Array.of(timesteps - 1);
  const wanted = Array.from({ length: count }, (_, i) => roundHalfEven((i / (count - 1)) ** 2 * (timesteps - 1)));
  return distinctSteps(timesteps, wanted);
}

/**
 * Moves steps that coincide apart, upwards first and down again from T−1, so that no order changes.
 * @param timesteps T, at least as many as steps
 * @param ascending steps in 0…T−1, none below the one before
 * @returns as many distinct steps in 0…T−1, descending
 */
export function distinctSteps(timesteps: number, ascending: readonly number[]): Int32Array {
  const steps = Int32Array.from(ascending).reverse();
  for (let i = steps.length - 2; i >= 0; i--) steps[i] = Math.max(at(steps, i), at(steps, i + 1) + 1);
  let above = timesteps;
  steps.forEach((step, i) => (above = steps[i] = Math.min(step, above - 1)));
  return steps;
}

/**
 * Checks a hand-made list of steps and puts it in descending order.
 * @param timesteps T, steps of the schedule
 * @param steps distinct integers in 0…T−1, in any order
 * @returns the same steps, descending
 * @throws UnnoiseError `usage` for an empty list, a repeated step or one outside 0…T−1
 */
export function explicitSteps(timesteps: number, steps: ArrayLike<number>): Int32Array {
  checkCount(timesteps, steps.length);
  const sorted = Array.from(steps).sort((a, b) => b - a);
  sorted.forEach((step, i) => {
    if (!Number.isInteger(step) || step < 0 || step >= timesteps) {
      throw new UnnoiseError("usage", `steps: expected integers in 0…${timesteps - 1}, got ${step}`);
    }
    if (i > 0 && step === at(sorted, i - 1)) throw new UnnoiseError("usage", `steps: ${step} occurs twice`);
  });
  return Int32Array.from(sorted);
}
