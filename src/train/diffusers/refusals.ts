import { shown } from "../../math/shown.ts";
import { UnnoiseError } from "../../math/error.ts";
import { isRead, whySilent, type SchedulerName } from "./scheduler-classes.ts";
import type { SchedulerKey, SchedulerValues } from "./scheduler-keys.ts";

/** What of a key unnoise can follow. */
interface Range {
  readonly key: SchedulerKey;
  readonly holds: (values: SchedulerValues) => boolean;
  readonly why: string;
}

const off = (key: SchedulerKey, why: string): Range => ({ key, holds: (values) => values[key] === false, why });
const none = (key: SchedulerKey, why: string): Range => ({ key, holds: (values) => isEmpty(values[key]), why });
const isEmpty = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);

/** Checked in this order against the values of a class; what it does not read holds. */
const ranges: readonly Range[] = [
  off("use_flow_sigmas", "it is for models of flow matching, not of diffusion"),
  off("use_dynamic_shifting", "it is for models of flow matching, not of diffusion"),
  none("shift_terminal", "it is for models of flow matching, not of diffusion"),
  off("use_beta_sigmas", "unnoise does not have these noise levels"),
  {
    key: "algorithm_type",
    holds: ({ algorithm_type: type }) => ["dpmsolver++", "sde-dpmsolver++"].includes(type),
    why: "unnoise has dpmsolver++ and sde-dpmsolver++",
  },
  {
    key: "solver_type",
    holds: ({ solver_type: type }) => ["midpoint", "logrho", "bh1", "bh2"].includes(type),
    why: "unnoise has the midpoint form, and bh1 and bh2 of UniPC",
  },
  {
    key: "predict_x0",
    holds: ({ predict_x0: predicts }) => predicts,
    why: "unnoise has UniPC for predicted data, not for predicted noise",
  },
  none("disable_corrector", "unnoise's UniPC corrects every step"),
  none("solver_p", "unnoise's UniPC has its own predictor only"),
  {
    key: "interpolation_type",
    holds: ({ interpolation_type: type }) => type === "linear",
    why: "the network would be asked at noise levels that are not those of its steps",
  },
  {
    key: "timestep_type",
    holds: ({ timestep_type: type, prediction_type: says }) => type !== "continuous" || says !== "v_prediction",
    why: "the network would be asked at log σ/4, and takes whole steps",
  },
  {
    key: "variance_type",
    holds: ({ variance_type: type }) => type !== "learned",
    why: "diffusers takes such a network's second half for σ² and unnoise for log σ²",
  },
];

const CUT = "steps between two are then cut to whole ones, which the rounding of float32 decides";

/** With a cosine schedule DPM-Solver cuts steps that it rounds with others. */
function uncut(key: SchedulerKey): Range {
  return { key, holds: (values) => values[key] === false || values.beta_schedule !== "squaredcos_cap_v2", why: CUT };
}

/** Keys that a single class has no use for here. */
const own: Partial<Record<SchedulerName, readonly Range[]>> = {
  DPMSolverMultistepScheduler: [
    {
      key: "solver_order",
      holds: ({ solver_order: order }) => order <= 2,
      why: "unnoise has DPM-Solver++ of order 1 and 2",
    },
    off("use_exponential_sigmas", CUT),
    uncut("use_karras_sigmas"),
    uncut("use_lu_lambdas"),
  ],
  UniPCMultistepScheduler: [off("use_exponential_sigmas", CUT)],
  EulerDiscreteScheduler: [unrounded("use_karras_sigmas"), unrounded("use_exponential_sigmas")],
  HeunDiscreteScheduler: [unrounded("use_karras_sigmas"), unrounded("use_exponential_sigmas")],
};

function unrounded(key: SchedulerKey): Range {
  return off(key, "this class then asks the network between steps, which takes whole ones");
}

/**
 * Throws unless unnoise can do exactly what a scheduler's file asks for.
 * @throws UnnoiseError `usage` that names the key and its value
 */
export function checkFollowed(
  file: Readonly<Record<string, unknown>> & { readonly _class_name: SchedulerName },
  values: SchedulerValues,
  where: string,
): void {
  const name = file._class_name;
  const broken = [...ranges, ...(own[name] ?? [])].find(({ holds }) => !holds(values));
  if (broken) throw refusal(where, broken.key, values[broken.key], broken.why);
  const unknown = Object.keys(file).find((key) => isUnknown(name, key, file[key]));
  if (unknown === undefined) return;
  throw refusal(where, unknown, file[unknown], `${name} of diffusers 0.42.1 knows no such key`);
}

function isUnknown(name: SchedulerName, key: string, value: unknown): boolean {
  return whySilent(name, key, value) === undefined && !isRead(name, key);
}

function refusal(where: string, key: string, value: unknown, why: string): UnnoiseError {
  const advice = "choose a sampler yourself, or change the file";
  return new UnnoiseError("usage", `${where}: ${key}: ${shown(value)} cannot be followed: ${why}; ${advice}`);
}
