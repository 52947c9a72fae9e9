import { karrasSteps, logSnrSteps } from "./noise-level-steps.ts";
import type { NoiseSchedule } from "./schedule.ts";
import { leadingSteps, linspaceSteps, quadraticSteps, trailingSteps } from "./steps.ts";

/** Ways to choose N of a schedule's steps, by name. */
export const spacingNames = ["trailing", "leading", "linspace", "quadratic", "karras", "log-snr"] as const;
export type SpacingName = (typeof spacingNames)[number];

/**
 * Chooses N steps.
 * @param count N, in 1…T
 * @returns distinct steps in 0…T−1, descending
 * @throws UnnoiseError `usage` for N outside 1…T
 */
export type Spacing = (schedule: NoiseSchedule, count: number) => Int32Array;

/** Every spacing with its usual settings. */
export const spacings: Readonly<Record<SpacingName, Spacing>> = {
  trailing: ({ timesteps }, count) => trailingSteps(timesteps, count),
  leading: ({ timesteps }, count) => leadingSteps(timesteps, count),
  linspace: ({ timesteps }, count) => linspaceSteps(timesteps, count),
  quadratic: ({ timesteps }, count) => quadraticSteps(timesteps, count),
  karras: (schedule, count) => karrasSteps(schedule, count),
  "log-snr": (schedule, count) => logSnrSteps(schedule, count),
};
