import { z } from "zod";
import type { FirstLogVariance } from "../../diffusion/variance.ts";

/** Names of diffusers for families of betas that unnoise builds alike. */
export type BetaSchedule = "linear" | "scaled_linear" | "squaredcos_cap_v2" | "sigmoid";
/** What a network predicts; the last two are our own. */
export type PredictionType = "epsilon" | "sample" | "v_prediction" | "mean" | "score";
/** Variance of the reverse step. */
export type VarianceType =
  "fixed_small" | "fixed_small_log" | "fixed_large" | "fixed_large_log" | "learned" | "learned_range";

/** All keys that the scheduler classes in reach read, as in `scheduler_config.json`. */
export interface SchedulerValues {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: BetaSchedule;
  readonly trained_betas: readonly number[] | null;
  readonly rescale_betas_zero_snr: boolean;
  readonly prediction_type: PredictionType;
  readonly variance_type: VarianceType | null;
  readonly clip_sample: boolean;
  readonly clip_sample_range: number;
  readonly thresholding: boolean;
  readonly dynamic_thresholding_ratio: number;
  readonly sample_max_value: number;
  readonly timestep_spacing: "leading" | "trailing" | "linspace";
  readonly steps_offset: number;
  readonly set_alpha_to_one: boolean;
  readonly algorithm_type: string;
  readonly solver_order: number;
  readonly solver_type: string;
  readonly lower_order_final: boolean;
  readonly euler_at_final: boolean;
  readonly final_sigmas_type: "zero" | "sigma_min";
  readonly lambda_min_clipped: number;
  readonly use_karras_sigmas: boolean;
  readonly use_exponential_sigmas: boolean;
  readonly use_beta_sigmas: boolean;
  readonly use_lu_lambdas: boolean;
  readonly use_flow_sigmas: boolean;
  readonly use_dynamic_shifting: boolean;
  readonly flow_shift: number;
  readonly time_shift_type: string;
  readonly shift_terminal: unknown;
  readonly predict_x0: boolean;
  readonly disable_corrector: readonly number[];
  readonly solver_p: unknown;
  readonly interpolation_type: string;
  readonly timestep_type: string;
  readonly sigma_min: number | null;
  readonly sigma_max: number | null;
  /** Our own: what stands for log β̃ at t = 1. */
  readonly first_log_variance: FirstLogVariance;
  /** Our own: the betas come from training. */
  readonly learned_schedule: boolean;
}

export type SchedulerKey = keyof SchedulerValues;

const positive = z.number().positive();
/** Python's None counts as False. */
const flag = z.boolean().nullable();

/** What each key may hold in a file; every one may be left out. */
export const schedulerKeys: Readonly<Record<SchedulerKey, z.ZodType>> = {
  num_train_timesteps: z.int().min(1).max(1_000_000),
  beta_start: positive,
  beta_end: positive,
  beta_schedule: z.enum(["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"]),
  trained_betas: z.array(z.number()).min(1).max(1_000_000).nullable(),
  rescale_betas_zero_snr: flag,
  prediction_type: z.enum(["epsilon", "sample", "v_prediction", "mean", "score"]),
  variance_type: z
    .enum(["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range"])
    .nullable(),
  clip_sample: flag,
  clip_sample_range: positive,
  thresholding: flag,
  dynamic_thresholding_ratio: positive.max(1),
  sample_max_value: z.number().min(1),
  timestep_spacing: z.enum(["leading", "trailing", "linspace"]),
  steps_offset: z.int().min(0).max(1_000_000),
  set_alpha_to_one: flag,
  algorithm_type: z.string(),
  solver_order: z.int().min(1).max(3),
  solver_type: z.string(),
  lower_order_final: flag,
  euler_at_final: flag,
  final_sigmas_type: z.enum(["zero", "sigma_min"]),
  // JSON of other languages has null for Python's -Infinity.
  lambda_min_clipped: z.union([z.number(), z.literal(-Infinity)]).nullable(),
  use_karras_sigmas: flag,
  use_exponential_sigmas: flag,
  use_beta_sigmas: flag,
  use_lu_lambdas: flag,
  use_flow_sigmas: flag,
  use_dynamic_shifting: flag,
  flow_shift: z.number().nullable(),
  time_shift_type: z.string(),
  shift_terminal: z.unknown(),
  predict_x0: flag,
  disable_corrector: z.array(z.number()).nullable(),
  solver_p: z.unknown(),
  interpolation_type: z.string(),
  timestep_type: z.string(),
  sigma_min: z.number().nullable(),
  sigma_max: z.number().nullable(),
  first_log_variance: z.enum(["second", "beta", "clamp"]),
  learned_schedule: flag,
};
