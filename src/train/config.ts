import { z } from "zod";
import { folderReadings, type FolderReading } from "../data/folder-names.ts";
import { scalings, type Scaling } from "../data/standardise.ts";
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
import { shortened, shown } from "../math/shown.ts";
import { devices, type Device } from "../runtime/backend.ts";
import { valueAt } from "./zod-issue.ts";
import { decayNames, type DecayName } from "./learning-rate.ts";

const count = z.int().min(1);
const positive = z.number().positive();

/** Every training option. Keys are camelCase in files and the library, kebab-case as flags. */
export interface TrainingConfig extends ScheduleConfig {
  /** The name of a toy set or the path of a file of points (.csv, .npy, .json), or of a density (.png, .svg, .json); of images a name or path. */
  readonly data: string;
  /** What the data are: `points`, or `images`, which are opened otherwise and have other defaults. */
  readonly kind: DataKind;
  /** Standard deviation of a toy set's noise; null for its usual one. */
  readonly dataNoise: number | null;
  /** Points of a toy set, or drawn from the density of a file. */
  readonly dataSize: number;
  /** Columns of a file of points that are left out, by name or as column1, column2, …; null for none. */
  readonly drop: readonly string[] | null;
  /** How columns of points are brought to one size: `standard` by mean and standard deviation, `robust` by median and quartile range. */
  readonly scale: Scaling;
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
  /** By default 10,000, of images 20,000. */
  readonly iterations: number;
  /** Samples of one step of the optimiser; by default 256, of images 64. */
  readonly batchSize: number;
  /** Equal parts of a batch that go through the network one after the other, to save memory. */
  readonly accumulate: number;
  /** Whether the backward pass computes activations again rather than keeping them, to save memory. */
  readonly recompute: boolean;
  /** η after warm-up, > 0; by default 0.002, of images 0.0005. */
  readonly learningRate: number;
  /** Iterations over which the learning rate rises linearly from 0. */
  readonly warmup: number;
  /** What follows: `cosine` and `linear` fall to 0 at the last iteration, `constant` stays, `inverse-sqrt` falls as 1/√i. */
  readonly decay: DecayName;
  /** AdamW's β1, β2, ε and λ. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of the gradient, > 0. */
  readonly clipNorm: number;
  /** Decay of the average of the weights after its warm-up, in [0, 1). */
  readonly emaDecay: number;
  /** Decays of further averages that are kept beside it. */
  readonly moreEmaDecays: readonly number[];
  /**
   * The network of images: the name of a preset, or a configuration with its class name as diffusers has it; null for `unet-small`. Points
   * have an MLP of the next three.
   */
  readonly network: string | NetworkFile | null;
  readonly width: number;
  /** Residual blocks. */
  readonly depth: number;
  /** Features of the sinusoidal time embedding, even, ≥ 4. */
  readonly timeFeatures: number;
  /** Whether the embedding's cosines stand before its sines. */
  readonly flipSinToCos: boolean;
  /** What the embedding takes off half its features in the divisor of the frequencies, in [0, 1]. */
  readonly freqShift: number;
  /** Pixels of a side of the images; null for those that the data have, which must then be of one size. */
  readonly imageSize: number | null;
  /** Colour channels; null for those that the data have. */
  readonly channels: 1 | 3 | null;
  /** What becomes of images that are not square: `centre` cuts out the middle, `stretch` distorts. */
  readonly crop: ImageCrop;
  /** What an image that cannot be read does: ends it all, or is left out with a warning. */
  readonly broken: "fail" | "skip";
  /** What the folders in a folder of images are: classes, parts such as train and test, or what their names say where that is one thing. */
  readonly folders: FolderReading;
  /** Whether half of the images are mirrored left to right, at random. */
  readonly flips: boolean;
  /** Share of images that is held out to measure on, where the data have no test part; in [0, 1). */
  readonly holdOut: number;
  /** Whether the network is told the class of each image. */
  readonly conditional: boolean;
  /** Share of the images whose class is not told, so that samples can be guided; in [0, 1). */
  readonly labelDropout: number;
  /** Integer in 0…2^53−1. */
  readonly seed: number;
  readonly device: Device | "auto";
  /** Threads of one operator; null to choose by work. */
  readonly threads: number | null;
  /** Iterations between checkpoints. */
  readonly checkpointEvery: number;
  /** Iterations between log lines. */
  readonly logEvery: number;
  /** Iterations between grids of samples, of images; null for none. */
  readonly sampleEvery: number | null;
  /** Iterations between measurements of the bound on held-out images; null for none. */
  readonly boundEvery: number | null;
  /** Whether the log is written as TensorBoard's event file too. */
  readonly tensorboard: boolean;
}

const dataKinds = ["points", "images"] as const;
export type DataKind = (typeof dataKinds)[number];

export const imageCrops = ["centre", "stretch"] as const;
export type ImageCrop = (typeof imageCrops)[number];

/** The configuration file of a network. */
export type NetworkFile = Readonly<Record<string, unknown>>;

/** What a caller gives: the data, and whatever differs from the defaults. */
export type TrainingOptions = Pick<TrainingConfig, "data"> & Partial<TrainingConfig>;

const schema = z.strictObject({
  data: z.string().min(1),
  kind: z.enum(dataKinds).default("points"),
  dataNoise: z.number().min(0).nullable().default(null),
  dataSize: count.max(2 ** 31 - 1).default(50_000),
  drop: z.array(z.string().min(1)).min(1).nullable().default(null),
  scale: z.enum(scalings).default("standard"),
  schedule: z.enum(scheduleNames).default("linear"),
  timesteps: count.max(1_000_000).nullable().default(null),
  betaStart: positive.lt(1).nullable().default(null),
  betaEnd: positive.max(1).nullable().default(null),
  sigmaMin: positive.nullable().default(null),
  sigmaMax: positive.nullable().default(null),
  zeroTerminalSnr: z.boolean().default(false),
  rescaleBetas: z.boolean().default(false),
  betas: z.array(z.number()).min(1).max(1_000_000).nullable().default(null),
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
  iterations: count.nullable().default(null),
  batchSize: count.nullable().default(null),
  accumulate: count.default(1),
  recompute: z.boolean().default(false),
  learningRate: positive.nullable().default(null),
  warmup: z.int().min(0).default(200),
  decay: z.enum(decayNames).default("cosine"),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: positive.default(1e-8),
  weightDecay: z.number().min(0).default(0),
  clipNorm: positive.default(1),
  emaDecay: z.number().min(0).lt(1).default(0.999),
  moreEmaDecays: z.array(z.number().min(0).lt(1)).max(8).default([]),
  network: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .nullable()
    .default(null),
  width: count.max(65_536).default(128),
  depth: count.max(1000).default(4),
  timeFeatures: z.int().min(4).max(4096).multipleOf(2).default(32),
  flipSinToCos: z.boolean().default(false),
  freqShift: z.number().min(0).max(1).default(1),
  imageSize: count.max(4096).nullable().default(null),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .nullable()
    .default(null),
  crop: z.enum(imageCrops).default("centre"),
  broken: z.enum(["fail", "skip"]).default("fail"),
  folders: z.enum(folderReadings).default("auto"),
  flips: z.boolean().default(false),
  holdOut: z.number().min(0).lt(1).default(0),
  conditional: z.boolean().default(false),
  labelDropout: z.number().min(0).lt(1).default(0.1),
  seed: z.int().min(0).default(0),
  device: z.enum(["auto", ...devices]).default("auto"),
  threads: count.max(1024).nullable().default(null),
  checkpointEvery: count.default(2000),
  logEvery: count.default(100),
  sampleEvery: count.nullable().default(null),
  boundEvery: count.nullable().default(null),
  tensorboard: z.boolean().default(false),
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
  return `${where}: unknown key ${shortened(key, 60)}; ${advice}`;
}

/** Keys whose defaults depend on others. */
type Dependent =
  "timesteps" | "variance" | "objective" | "firstLogVariance" | "iterations" | "batchSize" | "learningRate";

/** What training of each kind of data usually takes. */
const usualSizes = {
  points: { iterations: 10_000, batchSize: 256, learningRate: 2e-3 },
  images: { iterations: 20_000, batchSize: 64, learningRate: 5e-4 },
} as const satisfies Record<DataKind, object>;

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
  const key = issue?.path.map(String).join(".") ?? "";
  const value = valueAt(options, issue?.path ?? []);
  const got = value === undefined ? "nothing" : shown(value);
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
  const sizes = usualSizes[options.kind];
  return {
    ...options,
    iterations: options.iterations ?? sizes.iterations,
    batchSize: options.batchSize ?? sizes.batchSize,
    learningRate: options.learningRate ?? sizes.learningRate,
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
  checkKind(config);
}

/** Options that only images have a use for, and what they are where nobody asks for them. */
const imageOptions = {
  network: null,
  imageSize: null,
  channels: null,
  crop: "centre",
  broken: "fail",
  folders: "auto",
  flips: false,
  holdOut: 0,
  conditional: false,
  sampleEvery: null,
  boundEvery: null,
  recompute: false,
  labelDropout: 0.1,
} as const satisfies Partial<TrainingConfig>;

/** Options that only points have a use for, and what they are where nobody asks for them. */
const pointOptions = {
  dataNoise: null,
  dataSize: 50_000,
  drop: null,
  scale: "standard",
  width: 128,
  depth: 4,
  timeFeatures: 32,
} as const satisfies Partial<TrainingConfig>;

/** The first option that differs from what it is where nobody asks for it. */
function askedFor<K extends keyof TrainingConfig>(
  config: TrainingConfig,
  usual: Pick<TrainingConfig, K>,
): K | undefined {
  return (Object.keys(usual) as K[]).find((key) => config[key] !== usual[key]);
}

function checkKind(config: TrainingConfig): void {
  const { kind, batchSize, accumulate } = config;
  if (batchSize % accumulate !== 0) {
    const got = `${accumulate} parts of a batch of ${batchSize}`;
    throw new UnnoiseError("usage", `accumulate: got ${got}; choose a batchSize that it divides`);
  }
  const isImages = kind === "images";
  if (isImages && !config.conditional && config.labelDropout !== imageOptions.labelDropout) {
    throw new UnnoiseError("usage", "labelDropout: the network is told no class; add conditional, or leave it out");
  }
  const extra = isImages ? askedFor(config, pointOptions) : askedFor(config, imageOptions);
  if (extra === undefined) return;
  const [other, own] = isImages ? ["points", "images"] : ["images", "points"];
  throw new UnnoiseError("usage", `${extra}: only training on ${other} has a use for it; ${config.data} are ${own}`);
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
