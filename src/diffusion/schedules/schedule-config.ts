import { UnnoiseError } from "../../math/error.ts";
import { linearSchedule, scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { constantSchedule } from "./constant.ts";
import { cosineSchedule } from "./cosine.ts";
import { exponentialSchedule } from "./exponential.ts";
import { jsdSchedule } from "./jsd.ts";
import { quadraticSchedule, scaledLinearSchedule } from "./scaled-linear.ts";
import { geometricSchedule, karrasSchedule } from "./sigmas.ts";
import { sigmoidSchedule } from "./sigmoid.ts";
import { warmupSchedule } from "./warmup.ts";
import { rescaleToZeroTerminalSnr } from "./zero-terminal-snr.ts";

/** Every family of schedules; `custom` is given by its betas, and so is `learned`, whose betas come from training. */
export const scheduleNames = [
  "linear",
  "scaled-linear",
  "quadratic",
  "cosine",
  "sigmoid",
  "constant",
  "warmup10",
  "warmup50",
  "jsd",
  "exponential",
  "geometric",
  "karras",
  "custom",
  "learned",
] as const;

/** A family of schedules. */
export type ScheduleName = (typeof scheduleNames)[number];

/** A schedule as plain data: it can stand in a file. */
export interface ScheduleConfig {
  readonly schedule: ScheduleName;
  /** T, 1…1,000,000; null for 1000, or as many as there are betas. */
  readonly timesteps: number | null;
  /** β_1 and β_T; null for the family's own. */
  readonly betaStart: number | null;
  readonly betaEnd: number | null;
  /** σ_1 and σ_T; null for the family's own. */
  readonly sigmaMin: number | null;
  readonly sigmaMax: number | null;
  /** Whether the schedule is rescaled to end in ᾱ_T = 0. */
  readonly zeroTerminalSnr: boolean;
  /** Whether β_1 and β_T are multiplied by 1000/T. */
  readonly rescaleBetas: boolean;
  /** β_1…β_T of `custom` and `learned`; null for all others. */
  readonly betas: readonly number[] | null;
}

/** Keys of a `ScheduleConfig` that not every family takes. */
export const scheduleOptions = [
  "betaStart",
  "betaEnd",
  "sigmaMin",
  "sigmaMax",
  "zeroTerminalSnr",
  "rescaleBetas",
  "betas",
] as const;

/** A key of a `ScheduleConfig` that not every family takes. */
export type ScheduleOption = (typeof scheduleOptions)[number];

/** What a family's function gets: what was given, under the names of `ScheduleConfig`. */
interface FamilyOptions {
  readonly timesteps?: number;
  readonly betaStart?: number;
  readonly betaEnd?: number;
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
  readonly rescaleBetas?: boolean;
  readonly betas?: readonly number[];
}

interface Family {
  readonly takes: readonly ScheduleOption[];
  readonly build: (options: FamilyOptions) => NoiseSchedule;
}

const RANGE = ["betaStart", "betaEnd", "rescaleBetas", "zeroTerminalSnr"] as const;
const SIGMAS = ["sigmaMin", "sigmaMax", "zeroTerminalSnr"] as const;

const families: Readonly<Record<ScheduleName, Family>> = {
  linear: { takes: RANGE, build: linearSchedule },
  "scaled-linear": { takes: RANGE, build: scaledLinearSchedule },
  quadratic: { takes: RANGE, build: quadraticSchedule },
  cosine: { takes: ["zeroTerminalSnr"], build: cosineSchedule },
  sigmoid: { takes: RANGE, build: sigmoidSchedule },
  constant: { takes: ["betaEnd", "rescaleBetas", "zeroTerminalSnr"], build: constantSchedule },
  warmup10: { takes: RANGE, build: (options) => warmupSchedule({ ...options, fraction: 0.1 }) },
  warmup50: { takes: RANGE, build: (options) => warmupSchedule({ ...options, fraction: 0.5 }) },
  jsd: { takes: ["zeroTerminalSnr"], build: jsdSchedule },
  exponential: { takes: RANGE, build: exponentialSchedule },
  geometric: { takes: SIGMAS, build: geometricSchedule },
  karras: { takes: SIGMAS, build: karrasSchedule },
  custom: { takes: ["betas", "zeroTerminalSnr"], build: (options) => givenSchedule("custom", options) },
  learned: { takes: ["betas"], build: (options) => givenSchedule("learned", options) },
};

function givenSchedule(name: "custom" | "learned", { betas, timesteps }: FamilyOptions): NoiseSchedule {
  if (betas === undefined) {
    const advice = name === "custom" ? "give β_1…β_T" : "they come from training; open the trained model";
    throw new UnnoiseError("usage", `betas: schedule ${name} is made of its betas and got none; ${advice}`);
  }
  if (timesteps !== undefined && timesteps !== betas.length) {
    const advice = `use ${betas.length} or leave it out`;
    throw new UnnoiseError("usage", `timesteps: got ${timesteps}, but there are ${betas.length} betas; ${advice}`);
  }
  return scheduleFromBetas(betas);
}

const isGiven = (value: unknown): boolean => value !== null && value !== false && value !== undefined;

/** The options that a family takes besides `timesteps`. */
export function optionsOfSchedule(name: ScheduleName): readonly ScheduleOption[] {
  return families[name].takes;
}

function checkTaken(config: ScheduleConfig): void {
  const { takes } = families[config.schedule];
  const extra = scheduleOptions.find((key) => isGiven(config[key]) && !takes.includes(key));
  if (extra === undefined) return;
  const known = ["timesteps", ...takes].join(", ");
  throw new UnnoiseError("usage", `${extra}: schedule ${config.schedule} has no use for it; it takes ${known}`);
}

/**
 * Builds the schedule that a configuration describes.
 * @param config keys it does not need are ignored, so that a training configuration will do; options left `null` or `false` are
 * the family's own
 * @throws UnnoiseError `usage` for an option that the family does not take, or a number out of range
 */
export function scheduleFromConfig(config: ScheduleConfig): NoiseSchedule {
  checkTaken(config);
  const keys = ["timesteps", ...scheduleOptions] as const;
  const given = keys.map((key) => [key, config[key]] as const).filter(([, value]) => isGiven(value));
  const schedule = families[config.schedule].build(Object.fromEntries(given));
  return config.zeroTerminalSnr ? rescaleToZeroTerminalSnr(schedule) : schedule;
}

/** The configuration of a family as it is by default; `options` override it. */
export function scheduleConfig(
  schedule: ScheduleName,
  options: Partial<Omit<ScheduleConfig, "schedule">> = {},
): ScheduleConfig {
  const none = { timesteps: null, betaStart: null, betaEnd: null, sigmaMin: null, sigmaMax: null, betas: null };
  return { ...none, zeroTerminalSnr: false, rescaleBetas: false, ...options, schedule };
}
