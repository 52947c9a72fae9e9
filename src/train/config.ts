import { z } from "zod";
import { isLearned, varianceKinds, type VarianceKind } from "../diffusion/objectives/bound-terms.ts";
import { checkLearnedSchedule } from "../diffusion/objectives/learned-schedule.ts";
import { lossNorms, type LossNorm } from "../diffusion/objectives/loss-norm.ts";
import {
  checkObjective,
  lossReductions,
  objectiveNames,
  type LossReduction,
  type ObjectiveName,
} from "../diffusion/objectives/objective.ts";
import { timestepDraws, type TimestepDraw } from "../diffusion/objectives/timestep-draw.ts";
import { weightingNames, type WeightingName } from "../diffusion/objectives/weighting.ts";
import { parameterisations, type Parameterisation } from "../diffusion/parameterisation.ts";
import { presetNames, presets, trainingChoices, type PresetName } from "../diffusion/presets.ts";
import {
  optionsOfSchedule,
  scheduleNames,
  scheduleOptions,
  type ScheduleConfig,
} from "../diffusion/schedules/schedule-config.ts";
import { firstLogVariances, type FirstLogVariance } from "../diffusion/variance.ts";
import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { devices, type Device } from "../runtime/backend.ts";

const count = z.int().min(1);
const positive = z.number().positive();

/** Every training option. Keys are camelCase in files and the library, kebab-case as flags. */
export interface TrainingConfig extends ScheduleConfig {
  /** The name of a toy set or the path of a file: points (.csv, .npy, .json), or a density (.png, .svg, .json). */
  readonly data: string;
  /** Standard deviation of a toy set's noise; null for its usual one. */
  readonly dataNoise: number | null;
  /** Points of a toy set, or drawn from the density of a file. */
  readonly dataSize: number;
  /** T, 1…1,000,000; by default 1000, or as many as there are betas. */
  readonly timesteps: number;
  /**
   * A published implementation, whose choices become the defaults of firstLogVariance, flipSinToCos, freqShift, lossReduction and
   * timestepDraw; null for unnoise's own.
   */
  readonly preset: PresetName | null;
  /** What the network predicts. */
  readonly prediction: Parameterisation;
  /** σ² of the reverse step; by default `large`, with a learned schedule `small`. */
  readonly variance: VarianceKind;
  /** By default `simple`; where the variance is learned `hybrid`, where the schedule is, `vlb`. */
  readonly objective: ObjectiveName;
  /** Weights of L_simple over the steps. */
  readonly weighting: WeightingName;
  /** γ > 0 of the weightings `min-snr` and `p2`; null for the usual one, 5 and 1. */
  readonly weightingGamma: number | null;
  /** How errors count in L_simple. */
  readonly lossNorm: LossNorm;
  /** Over the values of a sample. */
  readonly lossReduction: LossReduction;
  /** What stands for log β̃ at t = 1, in the bound and the range of a learned variance; by default `second`, with a learned schedule `beta`. */
  readonly firstLogVariance: FirstLogVariance;
  /** How the steps of a batch are drawn. */
  readonly timestepDraw: TimestepDraw;
  readonly iterations: number;
  readonly batchSize: number;
  /** η after warm-up, > 0. */
  readonly learningRate: number;
  /** Iterations over which the learning rate rises linearly from 0. */
  readonly warmup: number;
  /** What follows: `cosine` falls to 0 at the last iteration, `constant` stays. */
  readonly decay: "cosine" | "constant";
  /** AdamW's β1, β2, ε and λ. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of the gradient, > 0. */
  readonly clipNorm: number;
  /** Decay of the average of the weights after its warm-up, in [0, 1). */
  readonly emaDecay: number;
  readonly width: number;
  /** Residual blocks. */
  readonly depth: number;
  /** Features of the sinusoidal time embedding, even, ≥ 4. */
  readonly timeFeatures: number;
  /** Whether the embedding's cosines stand before its sines. */
  readonly flipSinToCos: boolean;
  /** What the embedding takes off half its features in the divisor of the frequencies, in [0, 1]. */
  readonly freqShift: number;
  /** Integer in 0…2^53−1. */
  readonly seed: number;
  readonly device: Device | "auto";
  /** Threads of one operator; null to choose by work. */
  readonly threads: number | null;
  /** Iterations between checkpoints. */
  readonly checkpointEvery: number;
  /** Iterations between log lines. */
  readonly logEvery: number;
}

/** What a caller gives: the data, and whatever differs from the defaults. */
export type TrainingOptions = Pick<TrainingConfig, "data"> & Partial<TrainingConfig>;

const schema = z.strictObject({
  data: z.string().min(1),
  dataNoise: z.number().min(0).nullable().default(null),
  dataSize: count.max(2 ** 31 - 1).default(50_000),
  schedule: z.enum(scheduleNames).default("linear"),
  timesteps: count.max(1_000_000).nullable().default(null),
  betaStart: positive.lt(1).nullable().default(null),
  betaEnd: positive.max(1).nullable().default(null),
  sigmaMin: positive.nullable().default(null),
  sigmaMax: positive.nullable().default(null),
  zeroTerminalSnr: z.boolean().default(false),
  rescaleBetas: z.boolean().default(false),
  betas: z.array(z.number()).min(1).nullable().default(null),
  preset: z.enum(presetNames).nullable().default(null),
  prediction: z.enum(parameterisations).default("eps"),
  variance: z.enum(varianceKinds).nullable().default(null),
  objective: z.enum(objectiveNames).nullable().default(null),
  weighting: z.enum(weightingNames).default("uniform"),
  weightingGamma: positive.nullable().default(null),
  lossNorm: z.enum(lossNorms).default("l2"),
  lossReduction: z.enum(lossReductions).default("mean"),
  firstLogVariance: z.enum(firstLogVariances).nullable().default(null),
  timestepDraw: z.enum(timestepDraws).default("uniform"),
  iterations: count.default(10_000),
  batchSize: count.default(256),
  learningRate: positive.default(2e-3),
  warmup: z.int().min(0).default(200),
  decay: z.enum(["cosine", "constant"]).default("cosine"),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: positive.default(1e-8),
  weightDecay: z.number().min(0).default(0),
  clipNorm: positive.default(1),
  emaDecay: z.number().min(0).lt(1).default(0.999),
  width: count.max(65_536).default(128),
  depth: count.max(1000).default(4),
  timeFeatures: z.int().min(4).multipleOf(2).default(32),
  flipSinToCos: z.boolean().default(false),
  freqShift: z.number().min(0).max(1).default(1),
  seed: z.int().min(0).default(0),
  device: z.enum(["auto", ...devices]).default("auto"),
  threads: count.max(1024).nullable().default(null),
  checkpointEvery: count.default(2000),
  logEvery: count.default(100),
});
const keys = Object.keys(schema.shape);

/** Options with the choices of their preset, where they make none themselves. */
function withPreset(options: unknown): unknown {
  const named = z.looseObject({ preset: z.enum(presetNames) }).safeParse(options);
  return named.success ? { ...trainingChoices(presets[named.data.preset]), ...named.data } : options;
}

export { nearMiss };

function unknownKey(key: string, where: string): string {
  const near = nearMiss(key, keys);
  const advice = near ? `did you mean ${near}?` : `known keys: ${keys.join(", ")}`;
  return `${where}: unknown key ${key}; ${advice}`;
}

/** Keys whose defaults depend on others. */
type Dependent = "timesteps" | "variance" | "objective" | "firstLogVariance";

/** Training options, each checked by itself; null where the default depends on others. */
export type CheckedOptions = Omit<TrainingConfig, Dependent> & {
  readonly [K in Dependent]: TrainingConfig[K] | null;
};

/**
 * Checks training options one by one, as a file may hold them that is not the whole of a configuration.
 * @param where what error messages call the source, e.g. a file name
 * @throws UnnoiseError `usage` for an unknown key (a near miss is suggested) or a value out of range
 */
export function checkTrainingOptions(options: unknown, where = "training options"): CheckedOptions {
  const parsed = schema.safeParse(withPreset(options));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") throw new UnnoiseError("usage", unknownKey(issue.keys[0] ?? "", where));
  const key = issue?.path.join(".") ?? "";
  const value = issue && key !== "" ? (options as Record<string, unknown>)[key] : options;
  const got = value === undefined ? "nothing" : JSON.stringify(value);
  throw new UnnoiseError("usage", `${where}: ${key || "the whole"}: got ${got}; ${issue?.message ?? "not understood"}`);
}

/**
 * Checks training options and fills in the defaults.
 * @param where what error messages call the source, e.g. a file name
 * @throws UnnoiseError `usage` for an unknown key (a near miss is suggested), a value out of range, or options that do not go
 * together
 */
export function parseTrainingConfig(options: unknown, where = "training options"): TrainingConfig {
  const config = resolved(checkTrainingOptions(options, where));
  try {
    checkTogether(config);
  } catch (error) {
    if (!(error instanceof UnnoiseError)) throw error;
    throw new UnnoiseError(error.code, `${where}: ${error.message}`, { cause: error });
  }
  return config;
}

/** Whether training learns the schedule; with betas it is one that was learned before. */
export function learnsSchedule({ schedule, betas }: Pick<ScheduleConfig, "schedule" | "betas">): boolean {
  return schedule === "learned" && betas === null;
}

/** Defaults that depend on other options. */
function resolved(options: CheckedOptions): TrainingConfig {
  const learns = learnsSchedule(options);
  const variance = options.variance ?? (learns ? "small" : "large");
  const usual = learns ? "vlb" : isLearned(variance) ? "hybrid" : "simple";
  return {
    ...options,
    timesteps: options.timesteps ?? options.betas?.length ?? 1000,
    variance,
    objective: options.objective ?? usual,
    firstLogVariance: options.firstLogVariance ?? (learns ? "beta" : "second"),
  };
}

function checkTogether(config: TrainingConfig): void {
  const takes = optionsOfSchedule(config.schedule);
  const extra = scheduleOptions.find((key) => config[key] !== null && config[key] !== false && !takes.includes(key));
  if (extra !== undefined) {
    const known = ["timesteps", ...takes].join(", ");
    throw new UnnoiseError("usage", `${extra}: schedule ${config.schedule} has no use for it; it takes ${known}`);
  }
  checkObjective(config);
  if (learnsSchedule(config)) checkLearning(config);
}

/** Where a value comes from that nobody may have asked for. */
function origin({ preset, firstLogVariance }: TrainingConfig, key: keyof typeof learning): string {
  const chosen = preset !== null && key === "firstLogVariance" && presets[preset].firstLogVariance === firstLogVariance;
  return chosen ? `, the choice of preset ${preset}; add firstLogVariance ${learning.firstLogVariance}` : "";
}

/** What training must be where it learns the schedule. */
const learning = { objective: "vlb", variance: "small", firstLogVariance: "beta" } as const;

function checkLearning(config: TrainingConfig): void {
  checkLearnedSchedule(config);
  for (const [key, expected] of Object.entries(learning) as [keyof typeof learning, string][]) {
    if (config[key] === expected) continue;
    throw new UnnoiseError(
      "usage",
      `${key}: a learned schedule is trained with ${expected}, got ${config[key]}${origin(config, key)}`,
    );
  }
  if (config.timestepDraw === "importance") {
    const advice = "its steps have losses of one size already; use uniform or antithetic";
    throw new UnnoiseError("usage", `timestepDraw: a learned schedule takes no importance draws: ${advice}`);
  }
}
