import { extname } from "node:path";
import { varianceKinds } from "../diffusion/objectives/bound-terms.ts";
import { lossNorms } from "../diffusion/objectives/loss-norm.ts";
import { lossReductions, objectiveNames } from "../diffusion/objectives/objective.ts";
import { timestepDraws } from "../diffusion/objectives/timestep-draw.ts";
import { weightingNames } from "../diffusion/objectives/weighting.ts";
import { presetNames } from "../diffusion/presets.ts";
import { parameterisations } from "../diffusion/parameterisation.ts";
import { scheduleNames } from "../diffusion/schedules/schedule-config.ts";
import { firstLogVariances } from "../diffusion/variance.ts";
import type { TrainingConfig } from "../train/config.ts";
import { devices } from "../runtime/backend.ts";
import { choice, decimal, integer, type FlagParser } from "./numbers.ts";
import { flagOf } from "../math/text.ts";

/** One key of the training configuration as a flag. */
export interface TrainingFlag {
  readonly flag: string;
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string;
  readonly help: string;
  readonly parse?: FlagParser<number | string>;
  /** Whether the help of `train` has a line for it; the others are listed by name. */
  readonly listed: boolean;
}

/** Betas come from the file that --schedule names. */
type Key = Exclude<keyof TrainingConfig, "data" | "betas">;
type Made = Omit<TrainingFlag, "flag" | "listed">;

const whole = (key: Key, help: string, min: number, max?: number): Made => ({
  value: "n",
  help,
  parse: integer(flagOf(key), max === undefined ? { min } : { min, max }),
});
const real = (key: Key, help: string, range: Parameters<typeof decimal>[1]): Made => ({
  value: "x",
  help,
  parse: decimal(flagOf(key), range),
});
const word = (key: Key, value: string, help: string, words: readonly string[]): Made => ({
  value,
  help,
  parse: choice(flagOf(key), words),
});

const betaFiles: readonly string[] = [".json", ".csv", ".txt", ".npy"];

/** Whether a value of --schedule is the name of a file of betas. */
export function isBetaFile(value: string): boolean {
  return betaFiles.includes(extname(value).toLowerCase());
}

/** A family by name, or a file. */
function schedule(): Made {
  const families = scheduleNames.filter((name) => name !== "custom");
  const family = choice("--schedule", [...families, "or a file of betas"]);
  const help = `noise schedule (default linear): a family, learned, or a .json, .csv, .txt or .npy file of betas`;
  return { value: "name", help, parse: (text) => (isBetaFile(text) ? text : family(text)) };
}

/** Every key with a flag: a missing one does not compile. Ranges are those of the configuration. */
const listed = {
  schedule: schedule(),
  timesteps: whole("timesteps", "steps T of the diffusion (default 1000)", 1, 1_000_000),
  prediction: word(
    "prediction",
    "name",
    `what the network predicts: ${parameterisations.join(", ")} (default eps)`,
    parameterisations,
  ),
  variance: word("variance", "name", `of the reverse step: ${varianceKinds.join(", ")} (default large)`, varianceKinds),
  iterations: whole("iterations", "training steps (default 10000)", 1),
  batchSize: whole("batchSize", "points in a training step (default 256)", 1),
  learningRate: real("learningRate", "learning rate after warm-up (default 0.002)", { above: 0 }),
  width: whole("width", "width of the network (default 128)", 1, 65_536),
  depth: whole("depth", "residual blocks of the network (default 4)", 1, 1000),
  emaDecay: real("emaDecay", "decay of the average of the weights (default 0.999)", { min: 0, below: 1 }),
  seed: whole("seed", "seed of all random numbers (default 0)", 0),
  device: word("device", "name", "auto, cpu, webgpu, cuda or wasm (default auto)", ["auto", ...devices]),
  threads: whole("threads", "threads of one operator (default by work)", 1, 1024),
} as const satisfies Partial<Record<Key, Made>>;

const unlisted = {
  dataNoise: real("dataNoise", "noise of a toy set", { min: 0 }),
  dataSize: whole("dataSize", "points of a toy set or picture", 1, 2 ** 31 - 1),
  betaStart: real("betaStart", "first beta of the schedule", { above: 0, below: 1 }),
  betaEnd: real("betaEnd", "last beta of the schedule", { above: 0, max: 1 }),
  sigmaMin: real("sigmaMin", "least noise level of geometric and karras", { above: 0 }),
  sigmaMax: real("sigmaMax", "largest noise level of geometric and karras", { above: 0 }),
  zeroTerminalSnr: { help: "rescale the schedule so that x_T is pure noise" },
  rescaleBetas: { help: "multiply first and last beta by 1000/T" },
  preset: word("preset", "name", `defaults of a published implementation: ${presetNames.join(", ")}`, presetNames),
  objective: word("objective", "name", "simple, vlb or hybrid", objectiveNames),
  weighting: word("weighting", "name", "of the steps: uniform, min-snr, p2 or edm", weightingNames),
  weightingGamma: real("weightingGamma", "gamma of min-snr and p2", { above: 0 }),
  lossNorm: word("lossNorm", "name", "l2, l1 or huber", lossNorms),
  lossReduction: word("lossReduction", "name", "mean or sum over the values of a sample", lossReductions),
  firstLogVariance: word("firstLogVariance", "name", "log variance at t = 1: second, beta or clamp", firstLogVariances),
  timestepDraw: word("timestepDraw", "name", "uniform, antithetic or importance", timestepDraws),
  warmup: whole("warmup", "iterations of warm-up", 0),
  decay: word("decay", "name", "cosine or constant", ["cosine", "constant"]),
  beta1: real("beta1", "AdamW's first decay", { min: 0, below: 1 }),
  beta2: real("beta2", "AdamW's second decay", { min: 0, below: 1 }),
  epsilon: real("epsilon", "AdamW's epsilon", { above: 0 }),
  weightDecay: real("weightDecay", "AdamW's weight decay", { min: 0 }),
  clipNorm: real("clipNorm", "largest norm of the gradient", { above: 0 }),
  timeFeatures: whole("timeFeatures", "features of the time embedding, even", 4),
  flipSinToCos: { help: "time embedding: cosines before sines" },
  freqShift: real("freqShift", "time embedding: 1 or 0 off half in the divisor", { min: 0, max: 1 }),
  checkpointEvery: whole("checkpointEvery", "iterations between checkpoints", 1),
  logEvery: whole("logEvery", "iterations between log lines", 1),
} as const satisfies Record<Exclude<Key, keyof typeof listed>, Made>;

const rows = (made: Readonly<Record<string, Made>>, isListed: boolean): TrainingFlag[] =>
  Object.entries(made).map(([key, rest]) => ({ ...rest, flag: flagOf(key), listed: isListed }));

/** All training flags, those with a line in the help first. */
export const trainingFlags: readonly TrainingFlag[] = [...rows(listed, true), ...rows(unlisted, false)];

/** The keys of all training flags. */
export const trainingKeys: readonly Key[] = [...Object.keys(listed), ...Object.keys(unlisted)] as Key[];
