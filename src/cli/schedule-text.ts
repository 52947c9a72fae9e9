import { posteriorVariance } from "../diffusion/posterior.ts";
import { alphaCumprodAt, betaAt, logSnr, snr, type NoiseSchedule } from "../diffusion/schedule.ts";
import type { ScheduleReport } from "./commands/schedule.ts";
import { alignedLines, counted } from "../math/text.ts";

const ROWS = 11;
const LISTED_STEPS = 12;

/** What `unnoise schedule` prints: a table of some steps, what x_T still tells, and the sampling steps. */
export function scheduleText({ name, schedule, priorBits, steps }: ScheduleReport): string {
  const { timesteps } = schedule;
  const alphaCumprod = alphaCumprodAt(schedule, timesteps - 1);
  return [
    `${name}, T = ${timesteps}`,
    "",
    ...alignedLines([
      ["t", "β", "ᾱ", "SNR", "log SNR", "β̃"],
      ...shownSteps(timesteps).map((step) => row(schedule, step)),
    ]),
    "",
    `ᾱ_T = ${figure(alphaCumprod)}, L_T = ${figure(priorBits)} bits per dimension`,
    ...(steps === undefined ? [] : [`${counted(steps.length, "sampling step")}: ${listed(steps)}`]),
    "",
  ].join("\n");
}

/** About eleven steps from the first to the last, in equal distances that end on round t. */
function shownSteps(timesteps: number): number[] {
  const t = (i: number): number => Math.max(1, Math.round((i * timesteps) / (ROWS - 1)));
  return [...new Set(Array.from({ length: ROWS }, (_, i) => t(i) - 1))];
}

function row(schedule: NoiseSchedule, step: number): string[] {
  const values = [betaAt, alphaCumprodAt, snr].map((value) => figure(value(schedule, step)));
  return [String(step + 1), ...values, logarithm(logSnr(schedule, step)), figure(posteriorVariance(schedule, step))];
}

/** A number ≥ 0 with four digits; as a power of ten where plain decimals would be long. */
function figure(value: number): string {
  if (value === 0 || value === 1) return String(value);
  return value >= 1e-3 && value < 1e4 ? value.toPrecision(4) : value.toExponential(3);
}

const logarithm = (value: number): string => (value === -Infinity ? "−∞" : value.toFixed(3).replace("-", "−"));

function listed(steps: readonly number[]): string {
  if (steps.length <= LISTED_STEPS) return steps.join(", ");
  return `${steps.slice(0, LISTED_STEPS - 4).join(", ")}, …, ${steps.slice(-3).join(", ")}`;
}
