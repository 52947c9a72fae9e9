import { Option } from "commander";
import { devices } from "../runtime/backend.ts";
import { choice, decimal, integer, type FlagParser } from "./numbers.ts";

const MAX_SEED = 2 ** 53 - 1;

function option<T>(flags: string, help: string, parse?: FlagParser<T>): Option {
  const made = new Option(flags, help);
  return parse ? made.argParser(parse) : made;
}

interface SharedOptions {
  readonly out: (endings: string) => Option;
  readonly count: (help: string) => Option;
  readonly format: Option;
  readonly overwrite: Option;
  readonly seed: Option;
  readonly device: Option;
  readonly threads: Option;
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
  json: option("--json", "print JSON"),
  quiet: option("--quiet", "say nothing but errors"),
};

/** Options that choose a sampler. */
export const samplerOptions: readonly Option[] = [
  option("--sampler <name>", "ddpm or ddim", choice("--sampler", ["ddpm", "ddim"])),
  option("--steps <n>", "steps, at most T (default: T for ddpm, 50 for ddim)", integer("--steps", { min: 1 })),
  option("--eta <x>", "noise of ddim, 0…1 (default 0)", decimal("--eta", { min: 0, max: 1 })),
  option("--variance <name>", "of ddpm: large or small (default large)", choice("--variance", ["large", "small"])),
];

/** Options that say where a network runs. */
export const placementOptions: readonly Option[] = [shared.device, shared.threads];
