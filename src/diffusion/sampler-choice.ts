import { counted, flagOf } from "../math/text.ts";
import { presets, type PresetName } from "./presets.ts";
import type { Sampler, SamplerOptions } from "./sampler.ts";
import type { ReverseVariance } from "./samplers/ddpm.ts";
import type { NoiseSchedule } from "./schedule.ts";
import { explicitSteps } from "./steps.ts";
import { spacings, type SpacingName } from "./spacings.ts";
import { UnnoiseError } from "../math/error.ts";
import { methodFlags, samplerNames, samplerTable, type MethodFlags, type SamplerName } from "./sampler-table.ts";

/** Flags that choose a sampler, each already in its range. */
export interface SamplerFlags extends MethodFlags {
  readonly sampler?: SamplerName;
  /** How many, or the steps themselves. */
  readonly steps?: number | readonly number[];
  readonly spacing?: SpacingName;
  /** x̂_0 is clipped to ±clip, in the model's units; Infinity is no clipping, where there usually is some. */
  readonly clip?: number;
  /** Quantile of dynamic thresholding. */
  readonly threshold?: number;
  readonly epsAfterLimit?: "rederived" | "kept";
  readonly preset?: PresetName;
}

/** All of them, by name: which of them a command was given. */
export const samplerFlagNames: readonly (keyof SamplerFlags)[] = [
  "sampler",
  "steps",
  "spacing",
  "clip",
  "threshold",
  "epsAfterLimit",
  "preset",
  ...methodFlags,
];

/** A sampler that is ready to run on a given schedule. */
export interface SamplerChoice {
  readonly name: SamplerName;
  readonly sampler: Sampler;
  /** Number of steps. */
  readonly steps: number;
  /** The steps themselves and the limits of x̂_0, as `sample` takes them. */
  readonly options: Pick<SamplerOptions, "clip" | "threshold" | "epsAfterLimit"> & { readonly steps: Int32Array };
  /** "DDIM, 50 steps, η = 0.5" */
  readonly label: string;
}

/** What is sampled: a model's process. */
export interface SampledProcess {
  readonly schedule: NoiseSchedule;
  /** The variance that the model was made with; large if absent. */
  readonly variance?: ReverseVariance;
  /** Whether x̂_0 is limited where flags do not say how, as that of images is. */
  readonly limited?: boolean;
}

/**
 * Checks that flags go together, before anything is loaded.
 * @throws UnnoiseError `usage` for a flag of another sampler, or two limits
 */
export function checkSamplerFlags(
  { sampler = "ddpm", ...flags }: SamplerFlags,
  { limited = false }: Pick<SampledProcess, "limited"> = {},
): void {
  const extra = methodFlags.find((key) => flags[key] !== undefined && !samplerTable[sampler].flags.includes(key));
  if (extra !== undefined) {
    const owners = samplerNames.filter((name) => samplerTable[name].flags.includes(extra));
    const advice = `use it with --sampler ${owners.join(" or ")}`;
    throw new UnnoiseError("usage", `${flagOf(extra)}: ${sampler} has none; ${advice}`);
  }
  if (flags.clip !== undefined && flags.threshold !== undefined) {
    throw new UnnoiseError("usage", "--clip and --threshold: expected one of them, got both");
  }
  if (typeof flags.steps === "object" && flags.spacing !== undefined) {
    throw new UnnoiseError(
      "usage",
      "--spacing: --steps lists the steps themselves; give their number, or leave it out",
    );
  }
  const limits = flags.clip ?? flags.threshold ?? (limited ? 1 : Infinity);
  if (flags.epsAfterLimit !== undefined && limits === Infinity) {
    throw new UnnoiseError(
      "usage",
      "--eps-after-limit: nothing limits x̂_0; add --clip or --threshold, or leave it out",
    );
  }
}

/**
 * The sampler that flags ask for.
 * @param usual the sampler where none is named
 * @throws UnnoiseError `usage` for flags that do not go together and for more steps than T
 */
export function chooseSampler(
  flags: SamplerFlags,
  { schedule, variance = "large", limited = false }: SampledProcess,
  usual: SamplerName = "ddpm",
): SamplerChoice {
  const { sampler: name = usual } = flags;
  checkSamplerFlags({ ...flags, sampler: name }, { limited });
  if (flags.variance === "learned" && variance !== "learned") {
    throw new UnnoiseError("usage", "--variance learned: this model has learned none; choose large or small");
  }
  const row = samplerTable[name];
  const steps = stepsOf(flags, schedule, name);
  const method = name === "ddpm" ? { variance, ...flags } : flags;
  const count = `${steps.length} ${steps.length === 1 ? "step" : "steps"}`;
  return {
    name,
    sampler: row.make(method),
    steps: steps.length,
    options: { steps, ...limitsOf(flags) },
    label: [row.label, count, ...detailsOf(flags, variance)].join(", "),
  };
}

function stepsOf(flags: SamplerFlags, schedule: NoiseSchedule, name: SamplerName): Int32Array {
  const { timesteps } = schedule;
  const { usualSteps, usualSpacing } = samplerTable[name];
  if (typeof flags.steps === "object") return explicitSteps(timesteps, flags.steps);
  const count = flags.steps ?? (usualSteps === "all" ? timesteps : Math.min(usualSteps, timesteps));
  if (count > timesteps) {
    throw new UnnoiseError("usage", `--steps: expected an integer in 1…${timesteps} (T of this run), got ${count}`);
  }
  if (flags.spacing === undefined && flags.preset !== undefined) {
    return presets[flags.preset].spacing.steps(schedule, count);
  }
  return spacings[flags.spacing ?? usualSpacing](schedule, count);
}

function limitsOf({ clip, threshold, epsAfterLimit, preset }: SamplerFlags): Omit<SamplerChoice["options"], "steps"> {
  const after = epsAfterLimit ?? (preset && presets[preset].epsAfterLimit);
  return {
    ...(clip !== undefined && { clip: [-clip, clip] as const }),
    ...(threshold !== undefined && { threshold: { quantile: threshold } }),
    ...(after && { epsAfterLimit: after }),
  };
}

/** What is not as usual. */
function detailsOf(flags: SamplerFlags, usualVariance: ReverseVariance): string[] {
  const { eta, variance, churn, order, innerSteps, stepSize, corrections, snr } = flags;
  const { spacing, clip, threshold, epsAfterLimit, preset } = flags;
  return [
    eta === "hat" ? "σ̂" : eta === undefined || eta === 0 ? "" : `η = ${eta}`,
    variance === undefined || variance === usualVariance ? "" : `${variance} variance`,
    churn === undefined || churn === 0 ? "" : `churn ${churn}`,
    order === undefined ? "" : `order ${order}`,
    innerSteps === undefined ? "" : `${innerSteps} a level`,
    stepSize === undefined ? "" : `step size ${stepSize}`,
    corrections === undefined ? "" : `${counted(corrections, "correction")} a step`,
    snr === undefined ? "" : `r = ${snr}`,
    spacing === undefined ? "" : `${spacing} spacing`,
    clip === undefined ? "" : clip === Infinity ? "not clipped" : `clipped to ±${clip}`,
    threshold === undefined ? "" : `thresholded at ${threshold}`,
    epsAfterLimit === undefined ? "" : `ε ${epsAfterLimit}`,
    preset === undefined ? "" : `as ${preset}`,
  ].filter((detail) => detail !== "");
}
