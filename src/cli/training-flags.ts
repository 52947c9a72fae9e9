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
import { folderReadings } from "../data/folder-names.ts";
import { scalings } from "../data/standardise.ts";
import { imageCrops, type TrainingConfig } from "../train/config.ts";
import { decayNames } from "../train/learning-rate.ts";
import { devices } from "../runtime/backend.ts";
import { choice, decimal, integer, list, type FlagParser } from "./numbers.ts";
import { flagOf } from "../math/text.ts";

/** One key of the training configuration as a flag. */
export interface TrainingFlag {
  readonly flag: string;
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string;
  readonly help: string;
  readonly parse?: FlagParser<number | string | number[] | string[]>;
  /** Whether the help of `train` has a line for it; the others are listed by name. */
  readonly listed: boolean;
}

/** Betas come from the file that --schedule names, the kind of data from the data. */
type Key = Exclude<keyof TrainingConfig, "data" | "betas" | "kind">;
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

/** Numbers with commas between. */
const reals = (key: Key, help: string, range: Parameters<typeof decimal>[1]): Made => {
  const parse = decimal(flagOf(key), range);
  return { value: "x,…", help, parse: (text) => text.split(",").map(parse) };
};

/** Words with commas between. */
const words = (key: Key, help: string): Made => ({ value: "name,…", help, parse: list(flagOf(key)) });

const betaFiles: readonly string[] = [".json", ".csv", ".txt", ".npy"];

/** Whether a value of --schedule is the name of a file of betas. */
export function isBetaFile(value: string): boolean {
  return betaFiles.includes(extname(value).toLowerCase());
}

const channelNames = choice("--channels", ["1", "3"]);
const oneOrThree = (text: string): number => Number(channelNames(text));

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
  iterations: whole("iterations", "training steps (default 10000; images 20000)", 1),
  batchSize: whole("batchSize", "samples in a training step (default 256; images 64)", 1),
  learningRate: real("learningRate", "learning rate after warm-up (default 0.002; images 0.0005)", { above: 0 }),
  network: {
    value: "name",
    help: "network of images: a preset or a .json file as diffusers has it (default unet-small)",
    parse: (text) => text,
  },
  imageSize: whole("imageSize", "pixels of a side of the images (default as they are)", 1, 4096),
  conditional: { help: "tell the network the class of each image" },
  width: whole("width", "width of the network of points (default 128)", 1, 65_536),
  depth: whole("depth", "residual blocks of that network (default 4)", 1, 1000),
  emaDecay: real("emaDecay", "decay of the average of the weights (default 0.999)", { min: 0, below: 1 }),
  seed: whole("seed", "seed of all random numbers (default 0)", 0),
  device: word("device", "name", "auto, cpu, webgpu, cuda or wasm (default auto)", ["auto", ...devices]),
  threads: whole("threads", "threads of one operator (default by work)", 1, 1024),
} as const satisfies Partial<Record<Key, Made>>;

const unlisted = {
  dataNoise: real("dataNoise", "noise of a toy set", { min: 0 }),
  dataSize: whole("dataSize", "points of a toy set or picture", 1, 2 ** 31 - 1),
  drop: words("drop", "columns of a file of points to leave out: names, or column1, column2, …"),
  scale: word("scale", "name", "of columns: standard, or robust against values far outside", scalings),
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
  decay: word("decay", "name", decayNames.join(", "), decayNames),
  beta1: real("beta1", "AdamW's first decay", { min: 0, below: 1 }),
  beta2: real("beta2", "AdamW's second decay", { min: 0, below: 1 }),
  epsilon: real("epsilon", "AdamW's epsilon", { above: 0 }),
  weightDecay: real("weightDecay", "AdamW's weight decay", { min: 0 }),
  clipNorm: real("clipNorm", "largest norm of the gradient", { above: 0 }),
  timeFeatures: whole("timeFeatures", "features of the time embedding, even", 4, 4096),
  flipSinToCos: { help: "time embedding: cosines before sines" },
  freqShift: real("freqShift", "time embedding: 1 or 0 off half in the divisor", { min: 0, max: 1 }),
  accumulate: whole("accumulate", "parts of a batch that go through the network one after the other", 1),
  recompute: { help: "compute activations again in the backward pass, to save memory" },
  moreEmaDecays: reals("moreEmaDecays", "decays of further averages of the weights", { min: 0, below: 1 }),
  channels: { value: "n", help: "colour channels of the images: 1 or 3", parse: oneOrThree },
  crop: word("crop", "name", "of images that are not square: centre or stretch", imageCrops),
  broken: word("broken", "name", "what an image that cannot be read does: fail or skip", ["fail", "skip"]),
  folders: word("folders", "name", "what folders of images are: classes, parts (train, test) or auto", folderReadings),
  flips: { help: "mirror half of the images left to right" },
  holdOut: real("holdOut", "share of the images to measure on, where they have no test part", { min: 0, below: 1 }),
  labelDropout: real("labelDropout", "share of the images whose class is not told", { min: 0, below: 1 }),
  sampleEvery: whole("sampleEvery", "iterations between grids of samples", 1),
  boundEvery: whole("boundEvery", "iterations between measurements of the bound", 1),
  tensorboard: { help: "write the log as TensorBoard's event file too" },
  checkpointEvery: whole("checkpointEvery", "iterations between checkpoints", 1),
  logEvery: whole("logEvery", "iterations between log lines", 1),
} as const satisfies Record<Exclude<Key, keyof typeof listed>, Made>;

const rows = (made: Readonly<Record<string, Made>>, isListed: boolean): TrainingFlag[] =>
  Object.entries(made).map(([key, rest]) => ({ ...rest, flag: flagOf(key), listed: isListed }));

/** All training flags, those with a line in the help first. */
export const trainingFlags: readonly TrainingFlag[] = [...rows(listed, true), ...rows(unlisted, false)];

/** The keys of all training flags. */
export const trainingKeys: readonly Key[] = [...Object.keys(listed), ...Object.keys(unlisted)] as Key[];
