import { diffusersLeadingSteps, diffusersLinspaceSteps, diffusersTrailingSteps } from "../../diffusion/preset-steps.ts";
import { halfLogSnr } from "../../diffusion/noise-level.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { leadingSteps, linspaceSteps } from "../../diffusion/steps.ts";
import { UnnoiseError } from "../../math/error.ts";
import { roundHalfEven } from "../../math/round-half-even.ts";
import type { SchedulerValues } from "./scheduler-keys.ts";

type Values = Pick<SchedulerValues, "num_train_timesteps" | "timestep_spacing" | "steps_offset" | "lambda_min_clipped">;

/** The timesteps of N steps, in 0…T−1, descending. */
export type Timesteps = (values: Values, count: number, schedule: NoiseSchedule) => Int32Array;

/** DDPM and DDIM: whole steps in every spacing. */
export const wholeTimesteps: Timesteps = (
  { num_train_timesteps: t, timestep_spacing: by, steps_offset: offset },
  n,
) => {
  if (by === "leading") return offsetSteps(t, n, offset);
  return by === "trailing" ? diffusersTrailingSteps(t, n) : diffusersLinspaceSteps(t, n);
};

/** Euler and Heun: linspace is not rounded, and σ is interpolated; only whole steps can be followed. */
export const unroundedTimesteps: Timesteps = (values, n, schedule) => {
  const { num_train_timesteps: t, timestep_spacing: by } = values;
  if (by !== "linspace" || n === 1 || (t - 1) % (n - 1) === 0) return wholeTimesteps(values, n, schedule);
  const between = String(Number((((n - 2) * (t - 1)) / (n - 1)).toPrecision(7)));
  throw new UnnoiseError(
    "usage",
    `timestep_spacing: linspace of ${n} steps asks the network between steps (at ${between}), which takes whole ones; ` +
      `expected a number of steps N with N − 1 a divisor of ${t - 1}${nearestCounts(t, n)}, or timestep_spacing trailing`,
  );
};

/** "(10 or 28)": the numbers of steps nearest to n whose linspace is whole. */
function nearestCounts(t: number, n: number): string {
  const whole = (count: number): boolean => count >= 2 && (t - 1) % (count - 1) === 0;
  const numbers = Array.from({ length: t }, (_, i) => i + 1).filter(whole);
  const near = [numbers.findLast((count) => count < n), numbers.find((count) => count > n)];
  const named = near.filter((count) => count !== undefined);
  return named.length === 0 ? "" : ` (${named.join(" or ")})`;
}

/** DPM-Solver and UniPC: leading and linspace leave step 0 out; λ may be cut at its low end. */
export const solverTimesteps: Timesteps = (values, n, schedule) => {
  const { num_train_timesteps: t, timestep_spacing: by, steps_offset: offset, lambda_min_clipped: lowest } = values;
  const last = lowest === -Infinity ? t : stepsAbove(schedule, lowest);
  if (by === "trailing") return last === t ? diffusersTrailingSteps(t, n) : trailingFrom(last, t / n);
  if (n >= last) throw tooMany(by, n, last - 1);
  if (by === "linspace") return linspaceSteps(last, n + 1).subarray(0, n);
  return within(
    leadingSteps(last, n + 1)
      .subarray(0, n)
      .map((step) => step + offset),
    t,
    offset,
  );
};

/** How many steps have λ of at least this. */
function stepsAbove(schedule: NoiseSchedule, lowest: number): number {
  const count = schedule.betas.findIndex((_, step) => halfLogSnr(schedule, step) < lowest);
  return count === -1 ? schedule.timesteps : count;
}

/** round(L − i·T/N) − 1 while L − i·T/N > 0, with the stride of NumPy's arange. */
function trailingFrom(last: number, ratio: number): Int32Array {
  const stride = last - ratio - last;
  const count = Math.ceil(last / ratio);
  return Int32Array.from({ length: count }, (_, i) => roundHalfEven(last + i * stride) - 1).filter((step) => step >= 0);
}

function offsetSteps(timesteps: number, count: number, offset: number): Int32Array {
  return within(
    diffusersLeadingSteps(timesteps, count).map((step) => step + offset),
    timesteps,
    offset,
  );
}

function within(steps: Int32Array, timesteps: number, offset: number): Int32Array {
  const [first = 0] = steps;
  if (first < timesteps) return steps;
  throw new UnnoiseError(
    "usage",
    `steps_offset: ${offset} leads past the last step, ${timesteps - 1}, with ${steps.length} steps; use fewer steps`,
  );
}

function tooMany(spacing: string, count: number, most: number): UnnoiseError {
  return new UnnoiseError(
    "usage",
    `timestep_spacing: ${spacing} leaves out step 0 here, so that at most ${most} steps remain, got ${count}; use fewer`,
  );
}
