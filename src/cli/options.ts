import { Option } from "commander";
import type { WeightsChoice } from "../train/checkpoint-model.node.ts";
import { devices } from "../runtime/backend.ts";
import { presetNames } from "../diffusion/presets.ts";
import { spacingNames } from "../diffusion/spacings.ts";
import { UnnoiseError } from "../math/error.ts";
import { choice, decimal, integer, type FlagParser } from "./numbers.ts";
import { samplerNames } from "../diffusion/sampler-table.ts";

const MAX_SEED = 2 ** 53 - 1;

function option<T>(flags: string, help: string, parse?: FlagParser<T>): Option {
  const made = new Option(flags, help);
  return parse ? made.argParser(parse) : made;
}

const stepCount = integer("--steps", { min: 1 });
const oneStep = integer("--steps", { min: 0 });
const countOrSteps: FlagParser<number | number[]> = (text) =>
  text.includes(",") ? text.split(",").map(oneStep) : stepCount(text);

const etaRange = decimal("--eta", { min: 0, max: 1 });
const etaOrHat: FlagParser<number | "hat"> = (text) => (text === "hat" ? "hat" : etaRange(text));

const clipNumber = decimal("--clip", { above: 0 });
const clipRange: FlagParser<number> = (text) => (text === "none" ? Infinity : clipNumber(text));

const weightsChoice: FlagParser<WeightsChoice> = (text) => {
  if (text === "ema" || text === "raw") return text;
  const decay = text.trim() === "" ? Number.NaN : Number(text);
  if (decay >= 0 && decay < 1) return decay;
  throw new UnnoiseError("usage", `--weights: expected ema, raw or a number ≥ 0 and < 1, got ${text}`);
};

interface SharedOptions {
  readonly out: (endings: string) => Option;
  readonly count: (help: string) => Option;
  readonly format: Option;
  readonly overwrite: Option;
  readonly seed: Option;
  readonly device: Option;
  readonly threads: Option;
  readonly weights: Option;
  readonly json: Option;
  readonly quiet: Option;
}

/** Options that several commands share: one wording, one range. */
export const shared: SharedOptions = {
  out: (endings: string) => option("--out <file>", `where to write: ${endings}, or - for stdout`),
  format: option("--format <name>", "format, where the file's name does not say it"),
  overwrite: option("--overwrite", "replace what is there"),
  count: (help: string) => option("--count <n>", help, integer("--count", { min: 1, max: 2 ** 31 })),
  seed: option("--seed <n>", "seed of all random numbers (default 0)", integer("--seed", { min: 0, max: MAX_SEED })),
  device: option(
    "--device <name>",
    "auto, cpu, webgpu, cuda or wasm (default auto)",
    choice("--device", ["auto", ...devices]),
  ),
  threads: option(
    "--threads <n>",
    "threads of one operator (default by work)",
    integer("--threads", { min: 1, max: 1024 }),
  ),
  weights: option("--weights <name>", "ema, raw or the decay of a further average (default ema)", weightsChoice),
  json: option("--json", "print JSON"),
  quiet: option("--quiet", "say nothing but errors"),
};

/** Options that choose a sampler. */
export const samplerOptions: readonly Option[] = [
  option("--sampler <name>", samplerNames.join(", "), choice("--sampler", samplerNames)),
  option(
    "--steps <n>",
    "how many steps, at most T, or the steps themselves as 999,500,0 (default: all for ddpm and predictor-corrector, 20 or 50 for the others)",
    countOrSteps,
  ),
  option(
    "--spacing <name>",
    `of the steps: ${spacingNames.join(", ")} (default trailing; log-snr for langevin)`,
    choice("--spacing", spacingNames),
  ),
  option("--eta <x>", "noise of ddim, 0…1, or hat for σ̂ (default 0)", etaOrHat),
  option(
    "--variance <name>",
    "of ddpm: large, small or learned (default the model's)",
    choice("--variance", ["large", "small", "learned"]),
  ),
  option("--churn <x>", "noise that euler and heun add, S_churn ≥ 0 (default 0)", decimal("--churn", { min: 0 })),
  option("--order <n>", "of unipc, 1…3 (default 2)", integer("--order", { min: 1, max: 3 })),
  option("--inner-steps <n>", "of langevin: updates at each level (default 5)", integer("--inner-steps", { min: 1 })),
  option("--step-size <x>", "of langevin, 0…4 (default 1)", decimal("--step-size", { above: 0, below: 4 })),
  option("--corrections <n>", "of predictor-corrector, a step (default 1)", integer("--corrections", { min: 0 })),
  option("--snr <x>", "of predictor-corrector's corrector (default 0.16)", decimal("--snr", { above: 0 })),
  option("--clip <x>", "clip x̂_0 to ±x, in the model's units, or none (default none; 1 for images)", clipRange),
  option(
    "--threshold <q>",
    "dynamic thresholding of x̂_0 at this quantile, for data in [−1, 1]",
    decimal("--threshold", { above: 0, max: 1 }),
  ),
  option(
    "--eps-after-limit <how>",
    "ε after x̂_0 was limited: rederived or kept (default rederived)",
    choice("--eps-after-limit", ["rederived", "kept"]),
  ),
  option(
    "--preset <name>",
    `steps, and ε where x̂_0 is limited, as in a published implementation: ${presetNames.join(", ")}`,
    choice("--preset", presetNames),
  ),
];

/** Options that say where a network runs. */
export const placementOptions: readonly Option[] = [shared.device, shared.threads];
