import { z } from "zod";
import { varianceKinds, type VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import { parameterisations, type Parameterisation } from "../diffusion/parameterisation.ts";
import { betaRange } from "../diffusion/schedules/range.ts";
import { scheduleConfig, scheduleFromConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { schedulerNames, withDefaults, type SchedulerName } from "./diffusers/scheduler-classes.ts";
import {
  schedulerKeys,
  type BetaSchedule,
  type PredictionType,
  type SchedulerValues,
  type VarianceType,
} from "./diffusers/scheduler-keys.ts";
import type { DiffusionModel } from "./model.ts";

/** What a scheduler's file says of a model. */
export type ProcessFacts = Pick<DiffusionModel, "schedule" | "prediction" | "variance" | "firstLogVariance">;

type SharedFamily = "linear" | "scaled-linear" | "cosine" | "sigmoid";

/** Families that diffusers builds to the same betas. */
const families: Record<SharedFamily, BetaSchedule> = {
  linear: "linear",
  "scaled-linear": "scaled_linear",
  cosine: "squaredcos_cap_v2",
  sigmoid: "sigmoid",
};

const predictions: Record<Parameterisation, PredictionType> = {
  eps: "epsilon",
  x0: "sample",
  v: "v_prediction",
  // diffusers knows neither and refuses them.
  mean: "mean",
  score: "score",
};

const variances: Record<VarianceKind, VarianceType> = {
  large: "fixed_large",
  small: "fixed_small",
  "learned-range": "learned_range",
  learned: "learned",
};

/** `scheduler_config.json` of a class that unnoise follows, as it was read: with all its keys, those that nobody knows too. */
export interface SchedulerFile {
  readonly _class_name: SchedulerName;
  readonly num_train_timesteps?: number | undefined;
  readonly trained_betas?: readonly number[] | null | undefined;
  readonly [key: string]: unknown;
}

const optional = Object.entries(schedulerKeys).map(([key, kind]) => [key, kind.optional()] as const);

/** What a scheduler's file may hold. */
export const schedulerSchema: z.ZodType<SchedulerFile> = z.looseObject({
  ...Object.fromEntries(optional),
  // diffusers passes over keys with an underscore, and warns of others that it does not know.
  _unnoise: z
    .looseObject({
      first_log_variance: schedulerKeys.first_log_variance,
      learned_schedule: schedulerKeys.learned_schedule,
    })
    .partial()
    .optional(),
  _class_name: z.enum(schedulerNames),
});

/** A scheduler's values, those that its file leaves out as diffusers has them. */
export function schedulerValues(file: SchedulerFile): SchedulerValues {
  return withDefaults(file._class_name, file);
}

/**
 * A model's process as diffusers writes it: by a family that diffusers has, else by its betas.
 * @param kept the file that the process was read from: it is returned as it is where it says the same process, and its way of
 * sampling stays where it does not
 */
export function schedulerFile(
  facts: ProcessFacts & Partial<Pick<DiffusionModel, "kind">>,
  kept?: SchedulerFile,
): SchedulerFile {
  if (kept && sameProcess(processOf(kept), facts)) return kept;
  const { schedule, prediction, variance, firstLogVariance } = facts;
  return {
    // Images lie in [−1, 1]; points anywhere.
    ...(kept ?? { _class_name: "DDPMScheduler", clip_sample: facts.kind === "images" }),
    ...(isShared(schedule) ? familyKeys(schedule) : betaKeys(schedule)),
    prediction_type: predictions[prediction],
    variance_type: variances[variance],
    _unnoise: {
      first_log_variance: firstLogVariance,
      ...(schedule.schedule === "learned" && { learned_schedule: true }),
    },
  };
}

function sameProcess(a: ProcessFacts, b: ProcessFacts): boolean {
  const rest = ({ prediction, variance, firstLogVariance }: ProcessFacts): string =>
    [prediction, variance, firstLogVariance].join();
  if (rest(a) !== rest(b)) return false;
  const [ours, theirs] = [a, b].map(({ schedule }) => scheduleFromConfig(schedule).betas.join());
  return ours === theirs && (a.schedule.schedule === "learned") === (b.schedule.schedule === "learned");
}

const usual = { beta_start: 1e-4, beta_end: 0.02 } as const;

function isShared(config: ScheduleConfig): config is ScheduleConfig & { readonly schedule: SharedFamily } {
  return Object.hasOwn(families, config.schedule);
}

type BetaKeys = Pick<
  SchedulerValues,
  "num_train_timesteps" | "beta_start" | "beta_end" | "beta_schedule" | "trained_betas" | "rescale_betas_zero_snr"
>;

function familyKeys(config: ScheduleConfig & { readonly schedule: SharedFamily }): BetaKeys {
  const { timesteps } = scheduleFromConfig(config);
  const { betaStart, betaEnd, rescaleBetas } = config;
  const given = {
    timesteps,
    rescaleBetas,
    ...(betaStart === null ? {} : { betaStart }),
    ...(betaEnd === null ? {} : { betaEnd }),
  };
  const range = betaRange(given);
  return {
    num_train_timesteps: timesteps,
    beta_start: range.betaStart,
    beta_end: range.betaEnd,
    beta_schedule: families[config.schedule],
    trained_betas: null,
    rescale_betas_zero_snr: config.zeroTerminalSnr,
  };
}

function betaKeys(config: ScheduleConfig): BetaKeys {
  const { timesteps, betas } = scheduleFromConfig(config);
  return {
    num_train_timesteps: timesteps,
    ...usual,
    beta_schedule: "linear",
    trained_betas: [...betas],
    rescale_betas_zero_snr: false,
  };
}

/** The process that a scheduler's file describes. */
export function processOf(file: SchedulerFile): ProcessFacts {
  const values = schedulerValues(file);
  const { prediction_type: predicted, variance_type: varies, first_log_variance: firstLogVariance } = values;
  const prediction = parameterisations.find((name) => predictions[name] === predicted) ?? "eps";
  const plain = varies?.replace("_log", "");
  const variance = varianceKinds.find((kind) => variances[kind] === plain) ?? "small";
  return { schedule: scheduleOfFile(values), prediction, variance, firstLogVariance };
}

function scheduleOfFile(values: SchedulerValues): ScheduleConfig {
  const { num_train_timesteps: timesteps, trained_betas: betas, rescale_betas_zero_snr: zeroTerminalSnr } = values;
  const shared = { timesteps, zeroTerminalSnr };
  if (betas !== null) {
    if (values.learned_schedule) return scheduleConfig("learned", { timesteps, betas });
    return scheduleConfig("custom", { ...shared, betas });
  }
  const names = Object.keys(families) as SharedFamily[];
  const name = names.find((family) => families[family] === values.beta_schedule) ?? "linear";
  if (name === "cosine") return scheduleConfig(name, shared);
  return scheduleConfig(name, { ...shared, betaStart: values.beta_start, betaEnd: values.beta_end });
}
