import { UnnoiseError } from "../math/error.ts";
import { transitionBeta } from "./forward.ts";
import { posteriorVariance } from "./posterior.ts";
import type { LearnedVariance } from "./sampler.ts";
import type { NoiseSchedule } from "./schedule.ts";

/** Variance of the reverse step where it is not learned: `large` is β_{t|s}, `small` is the posterior's β̃. */
export type FixedVariance = "large" | "small";

/**
 * What stands for log β̃ of the last reverse step, to the data, where β̃ = 0: `second`, the value of the step before it (Ho et
 * al. 2020's code, OpenAI's); `beta`, log β of the step itself (DDIM's code); `clamp`, log 1e-20 (diffusers).
 */
export const firstLogVariances = ["second", "beta", "clamp"] as const;
export type FirstLogVariance = (typeof firstLogVariances)[number];

const CLAMP = 1e-20;

/** One reverse step, from `step` to `previousStep`, and how its variance is written down. */
export interface ReverseStep {
  readonly schedule: NoiseSchedule;
  /** t, in 0…T−1. */
  readonly step: number;
  /** s < t, in −1…T−2; t − 1 if absent. */
  readonly previousStep?: number;
  /** The step that is left just before t, for `second`; t + 1 if absent. */
  readonly nextStep?: number;
  /** `second` if absent. */
  readonly first?: FirstLogVariance;
}

/**
 * log β̃ of a reverse step, finite also where it ends at the data.
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function posteriorLogVariance({ schedule, step, first = "second", ...given }: ReverseStep): number {
  const { previousStep = step - 1, nextStep = step + 1 } = given;
  if (previousStep >= 0) return Math.log(posteriorVariance(schedule, step, previousStep));
  if (first === "clamp") return Math.log(CLAMP);
  const alone = nextStep >= schedule.timesteps;
  if (first === "beta" || alone) return Math.log(transitionBeta(schedule, step, previousStep));
  return Math.log(posteriorVariance(schedule, nextStep, step));
}

/**
 * log σ² of a reverse step with a fixed variance: log β_{t|s} or log β̃ (Ho et al. 2020, section 3.2, arXiv 2006.11239). With
 * `first: "second"` the `large` variance of the last step is β̃ of the step before too, as in Ho et al.'s and OpenAI's code.
 * @throws UnnoiseError `usage` for steps outside the schedule or out of order
 */
export function fixedLogVariance(variance: FixedVariance, reverse: ReverseStep): number {
  const { schedule, step, previousStep = step - 1, first = "second" } = reverse;
  const asBefore = previousStep === -1 && first === "second";
  if (variance === "small" || asBefore) return posteriorLogVariance(reverse);
  return Math.log(transitionBeta(schedule, step, previousStep));
}

/**
 * log σ² of each value, as a network learned it: v̂ log β_{t|s} + (1 − v̂) log β̃ with v̂ = (v + 1)/2 for `range` (Nichol &
 * Dhariwal 2021, eq. 15, arXiv 2102.09672); the output itself for `free`.
 * @returns `[B·D]`
 * @throws UnnoiseError `usage` for `free` and s ≠ t − 1, of which the network knows nothing, and as `posteriorLogVariance`
 */
export function learnedLogVariance({ kind, output }: LearnedVariance, reverse: ReverseStep): Float64Array {
  const { schedule, step, previousStep = step - 1 } = reverse;
  if (kind === "free") {
    if (previousStep !== step - 1) throw onlyNeighbours(step, previousStep);
    return Float64Array.from(output.data);
  }
  const large = Math.log(transitionBeta(schedule, step, previousStep));
  const small = posteriorLogVariance(reverse);
  return Float64Array.from(output.data, (v) => small + ((v + 1) / 2) * (large - small));
}

function onlyNeighbours(step: number, previousStep: number): UnnoiseError {
  const advice = "take all steps, or choose variance large or small";
  return new UnnoiseError(
    "usage",
    `variance: a free learned variance holds from t to t − 1 only, not from step ${step} to ${previousStep}; ${advice}`,
  );
}
