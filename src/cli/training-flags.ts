import type { TrainingConfig } from "../train/config.ts";
import { devices } from "../runtime/backend.ts";
import { choice, decimal, integer, type FlagParser } from "./numbers.ts";

/** One key of the training configuration as a flag. */
export interface TrainingFlag {
  readonly flag: string;
  /** What stands for the value in the help. */
  readonly value: string;
  readonly help: string;
  readonly parse: FlagParser<number | string>;
  /** Whether the help of `train` has a line for it; the others are listed by name. */
  readonly listed: boolean;
}

type Key = Exclude<keyof TrainingConfig, "data">;
type Made = Omit<TrainingFlag, "flag" | "listed">;

/** batchSize as --batch-size. */
function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

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

/** Every key but `data`: a missing one does not compile. Ranges are those of the configuration. */
const listed = {
  timesteps: whole("timesteps", "steps T of the diffusion (default 1000)", 1, 1_000_000),
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
  dataSize: whole("dataSize", "points of a toy set", 1, 2 ** 31 - 1),
  betaStart: real("betaStart", "first beta of the schedule", { above: 0, max: 0.999 }),
  betaEnd: real("betaEnd", "last beta of the schedule", { above: 0, max: 0.999 }),
  warmup: whole("warmup", "iterations of warm-up", 0),
  decay: word("decay", "name", "cosine or constant", ["cosine", "constant"]),
  beta1: real("beta1", "AdamW's first decay", { min: 0, below: 1 }),
  beta2: real("beta2", "AdamW's second decay", { min: 0, below: 1 }),
  epsilon: real("epsilon", "AdamW's epsilon", { above: 0 }),
  weightDecay: real("weightDecay", "AdamW's weight decay", { min: 0 }),
  clipNorm: real("clipNorm", "largest norm of the gradient", { above: 0 }),
  timeFeatures: whole("timeFeatures", "features of the time embedding, even", 4),
  checkpointEvery: whole("checkpointEvery", "iterations between checkpoints", 1),
  logEvery: whole("logEvery", "iterations between log lines", 1),
} as const satisfies Record<Exclude<Key, keyof typeof listed>, Made>;

const rows = (made: Readonly<Record<string, Made>>, isListed: boolean): TrainingFlag[] =>
  Object.entries(made).map(([key, rest]) => ({ ...rest, flag: flagOf(key), listed: isListed }));

/** All training flags, those with a line in the help first. */
export const trainingFlags: readonly TrainingFlag[] = [...rows(listed, true), ...rows(unlisted, false)];

/** The keys of all training flags. */
export const trainingKeys: readonly Key[] = [...Object.keys(listed), ...Object.keys(unlisted)] as Key[];
