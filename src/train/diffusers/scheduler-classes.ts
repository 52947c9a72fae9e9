import type { SchedulerKey, SchedulerValues } from "./scheduler-keys.ts";

/** Scheduler classes of diffusers that unnoise follows. */
export const schedulerNames = [
  "DDPMScheduler",
  "DDIMScheduler",
  "DPMSolverMultistepScheduler",
  "EulerDiscreteScheduler",
  "HeunDiscreteScheduler",
  "UniPCMultistepScheduler",
] as const;
export type SchedulerName = (typeof schedulerNames)[number];

const betas = {
  num_train_timesteps: 1000,
  beta_start: 1e-4,
  beta_end: 0.02,
  beta_schedule: "linear",
  trained_betas: null,
  prediction_type: "epsilon",
  variance_type: "fixed_small",
  first_log_variance: "clamp",
  learned_schedule: false,
} as const;
const thresholds = { thresholding: false, dynamic_thresholding_ratio: 0.995, sample_max_value: 1 } as const;
const leading = { timestep_spacing: "leading", steps_offset: 0 } as const;
const linspace = { timestep_spacing: "linspace", steps_offset: 0 } as const;
const clipped = { clip_sample: true, clip_sample_range: 1 } as const;
const curves = { use_karras_sigmas: false, use_exponential_sigmas: false, use_beta_sigmas: false } as const;
const flow = {
  use_flow_sigmas: false,
  flow_shift: 1,
  use_dynamic_shifting: false,
  time_shift_type: "exponential",
} as const;
const rescaled = { rescale_betas_zero_snr: false } as const;
const finalSigma = { final_sigmas_type: "zero" } as const;

/**
 * What each class reads, and the value where a file leaves it out (diffusers 0.42.1). `variance_type` and our own two keys are
 * read for every class: they say what the network was trained for, whatever it is sampled with.
 */
const schedulerReads: Readonly<Record<SchedulerName, Partial<SchedulerValues>>> = {
  DDPMScheduler: { ...betas, ...rescaled, ...thresholds, ...clipped, ...leading },
  DDIMScheduler: { ...betas, ...rescaled, ...thresholds, ...clipped, ...leading, set_alpha_to_one: true },
  DPMSolverMultistepScheduler: {
    ...betas,
    ...rescaled,
    ...thresholds,
    ...linspace,
    ...curves,
    ...flow,
    ...finalSigma,
    algorithm_type: "dpmsolver++",
    solver_order: 2,
    solver_type: "midpoint",
    lower_order_final: true,
    euler_at_final: false,
    use_lu_lambdas: false,
    lambda_min_clipped: -Infinity,
  },
  EulerDiscreteScheduler: {
    ...betas,
    ...rescaled,
    ...linspace,
    ...curves,
    ...finalSigma,
    interpolation_type: "linear",
    timestep_type: "discrete",
    sigma_min: null,
    sigma_max: null,
  },
  HeunDiscreteScheduler: {
    ...betas,
    ...linspace,
    ...curves,
    ...clipped,
    beta_start: 0.00085,
    beta_end: 0.012,
    clip_sample: false,
  },
  UniPCMultistepScheduler: {
    ...betas,
    ...rescaled,
    ...thresholds,
    ...linspace,
    ...curves,
    ...flow,
    ...finalSigma,
    solver_order: 2,
    solver_type: "bh2",
    lower_order_final: true,
    predict_x0: true,
    disable_corrector: [],
    solver_p: null,
    sigma_min: null,
    sigma_max: null,
    shift_terminal: null,
  },
};

/** Values with which a key that a class does not read does nothing. */
const idle: SchedulerValues = {
  ...betas,
  ...rescaled,
  ...thresholds,
  ...leading,
  ...curves,
  ...flow,
  ...finalSigma,
  clip_sample: false,
  clip_sample_range: 1,
  set_alpha_to_one: true,
  algorithm_type: "dpmsolver++",
  solver_order: 1,
  solver_type: "midpoint",
  lower_order_final: true,
  euler_at_final: false,
  use_lu_lambdas: false,
  lambda_min_clipped: -Infinity,
  interpolation_type: "linear",
  timestep_type: "discrete",
  sigma_min: null,
  sigma_max: null,
  predict_x0: true,
  disable_corrector: [],
  solver_p: null,
  shift_terminal: null,
};

/** A scheduler's values, those that its file leaves out as the class has them; our own keys lie under `_unnoise`. */
export function withDefaults(name: SchedulerName, file: Readonly<Record<string, unknown>>): SchedulerValues {
  const reads = schedulerReads[name];
  const all = { ...file, ...(file["_unnoise"] as object | undefined) } as Readonly<Record<string, unknown>>;
  const given = Object.entries(reads).filter(([key]) => all[key] !== undefined);
  return { ...idle, ...reads, ...Object.fromEntries(given.map(([key, usual]) => [key, orNull(all[key], usual)])) };
}

/** Python's None counts as False; for a number it stands for the usual one. */
function orNull(value: unknown, usual: unknown): unknown {
  if (value !== null) return value;
  return typeof usual === "boolean" ? false : usual;
}

const known: ReadonlySet<string> = new Set(Object.keys(idle));

/** Keys that change nothing, and why. */
const silent: Readonly<Record<string, string>> = {
  _class_name: "says which class",
  _diffusers_version: "says who wrote the file",
  _name_or_path: "says where the file was found",
  _unnoise: "says what the network was trained for",
  _use_default_values: "says which values were left out once",
  flow_shift: "acts with use_flow_sigmas",
  time_shift_type: "acts with use_dynamic_shifting",
  sigma_min: "acts with use_karras_sigmas and the like",
  sigma_max: "acts with use_karras_sigmas and the like",
  tensor_format: "chose between NumPy and PyTorch in old releases",
  skip_prk_steps: "belongs to PNDMScheduler",
  corrector_order: "belongs to SASolverScheduler",
  predictor_order: "belongs to SASolverScheduler",
  sigma_data: "belongs to EDMEulerScheduler",
  sigma_schedule: "belongs to EDMEulerScheduler",
  rho: "belongs to EDMEulerScheduler",
};

/**
 * Why a key of a file changes nothing in a class's sampling.
 * @returns undefined for a key that does, or may
 */
export function whySilent(name: SchedulerName, key: string, value: unknown): string | undefined {
  const reason = silent[key];
  if (reason !== undefined) return reason;
  if (key in schedulerReads[name]) return undefined;
  if (known.has(key)) return `${name} does not read it`;
  if (key === "predict_epsilon" && value === true) return "says what prediction_type epsilon says";
  const off = value === null || value === false || (Array.isArray(value) && value.length === 0);
  return off ? "is off" : undefined;
}

/** Whether a class reads a key of a file. */
export function isRead(name: SchedulerName, key: string): key is SchedulerKey {
  return key in schedulerReads[name];
}
