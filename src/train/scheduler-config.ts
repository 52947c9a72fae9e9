import { z } from "zod";
import { varianceKinds, type VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import { parameterisations, type Parameterisation } from "../diffusion/parameterisation.ts";
import { betaRange } from "../diffusion/schedules/range.ts";
import { scheduleConfig, scheduleFromConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { firstLogVariances } from "../diffusion/variance.ts";
import type { DiffusionModel } from "./model.ts";

/** What a scheduler's file says of a model. */
export type ProcessFacts = Pick<DiffusionModel, "schedule" | "prediction" | "variance" | "firstLogVariance">;

type SharedFamily = "linear" | "scaled-linear" | "cosine" | "sigmoid";
type BetaSchedule = "linear" | "scaled_linear" | "squaredcos_cap_v2" | "sigmoid";
type PredictionType = "epsilon" | "sample" | "v_prediction" | "mean" | "score";
type VarianceType = "fixed_large" | "fixed_small" | "learned_range" | "learned";

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

/** `scheduler_config.json`, as diffusers' DDPMScheduler has it; two keys are our own. */
export const schedulerSchema: z.ZodType<SchedulerFile> = z.looseObject({
  _class_name: z.literal("DDPMScheduler"),
  num_train_timesteps: z.int().min(1),
  beta_start: z.number().positive(),
  beta_end: z.number().positive(),
  beta_schedule: z.enum(Object.values(families)),
  prediction_type: z.enum(Object.values(predictions)),
  trained_betas: z.array(z.number()).min(1).nullable().optional(),
  rescale_betas_zero_snr: z.boolean().optional(),
  // Where the key is absent, diffusers clips.
  clip_sample: z.literal(false),
  thresholding: z.literal(false).optional(),
  variance_type: z.enum([...Object.values(variances), "fixed_small_log", "fixed_large_log"]).optional(),
  first_log_variance: z.enum(firstLogVariances).optional(),
  learned_schedule: z.boolean().optional(),
});

interface SchedulerFile {
  readonly _class_name: "DDPMScheduler";
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: BetaSchedule;
  readonly prediction_type: PredictionType;
  readonly trained_betas?: readonly number[] | null | undefined;
  readonly rescale_betas_zero_snr?: boolean | undefined;
  readonly clip_sample: false;
  readonly thresholding?: false | undefined;
  readonly variance_type?: VarianceType | "fixed_small_log" | "fixed_large_log" | undefined;
  readonly first_log_variance?: DiffusionModel["firstLogVariance"] | undefined;
  readonly learned_schedule?: boolean | undefined;
}

/** A model's process as diffusers writes it: by a family that diffusers has, else by its betas. */
export function schedulerFile({ schedule, prediction, variance, firstLogVariance }: ProcessFacts): SchedulerFile {
  return {
    _class_name: "DDPMScheduler",
    ...(isShared(schedule) ? familyKeys(schedule) : betaKeys(schedule)),
    prediction_type: predictions[prediction],
    clip_sample: false,
    variance_type: variances[variance],
    first_log_variance: firstLogVariance,
  };
}

const usual = { beta_start: 1e-4, beta_end: 0.02 } as const;

function isShared(config: ScheduleConfig): config is ScheduleConfig & { readonly schedule: SharedFamily } {
  return Object.hasOwn(families, config.schedule);
}

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
    ...(config.schedule === "learned" && { learned_schedule: true }),
  };
}

type BetaKeys = Pick<
  SchedulerFile,
  | "num_train_timesteps"
  | "beta_start"
  | "beta_end"
  | "beta_schedule"
  | "trained_betas"
  | "rescale_betas_zero_snr"
  | "learned_schedule"
>;

/** The process that a scheduler's file describes. */
export function processOf(file: SchedulerFile): ProcessFacts {
  const { prediction_type: predicted, variance_type: varies = variances.large, first_log_variance: first } = file;
  const prediction = parameterisations.find((name) => predictions[name] === predicted) ?? "eps";
  const plain = varies.replace("_log", "");
  const variance = varianceKinds.find((kind) => variances[kind] === plain) ?? "large";
  return { schedule: scheduleOfFile(file), prediction, variance, firstLogVariance: first ?? "second" };
}

function scheduleOfFile(file: SchedulerFile): ScheduleConfig {
  const { num_train_timesteps: timesteps, trained_betas: betas, rescale_betas_zero_snr: rescaled = false } = file;
  const shared = { timesteps, zeroTerminalSnr: rescaled };
  if (Array.isArray(betas)) {
    if (file.learned_schedule === true) return scheduleConfig("learned", { timesteps, betas });
    return scheduleConfig("custom", { ...shared, betas });
  }
  const names = Object.keys(families) as SharedFamily[];
  const name = names.find((family) => families[family] === file.beta_schedule) ?? "linear";
  if (name === "cosine") return scheduleConfig(name, shared);
  return scheduleConfig(name, { ...shared, betaStart: file.beta_start, betaEnd: file.beta_end });
}
