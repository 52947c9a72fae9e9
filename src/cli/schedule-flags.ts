import { Option } from "commander";
import { parameterisations } from "../diffusion/parameterisation.ts";
import { MAX_TIMESTEPS } from "../diffusion/schedules/range.ts";
import { scheduleNames } from "../diffusion/schedules/schedule-config.ts";
import { spacingNames } from "../diffusion/spacings.ts";
import { choice, decimal, integer, type FlagParser } from "./numbers.ts";

/** Families that `unnoise schedule` makes by name. */
export const scheduleFamilies: readonly string[] = scheduleNames.filter(
  (name) => name !== "custom" && name !== "learned",
);

const flag = (flags: string, help: string, parse: FlagParser<unknown>): Option =>
  new Option(flags, help).argParser(parse);
const beta = (name: string, help: string): Option =>
  flag(`${name} <x>`, `${help}, in (0, 1) (default the family's)`, decimal(name, { above: 0, below: 1 }));
const sigma = (name: string, help: string): Option =>
  flag(`${name} <x>`, `${help} of geometric and karras, > 0`, decimal(name, { above: 0 }));

/** Options that make a schedule, and sampling steps to check on it. */
export const scheduleFlags: readonly Option[] = [
  flag(
    "--timesteps <n>",
    "T (default 1000, or as many as betas)",
    integer("--timesteps", { min: 1, max: MAX_TIMESTEPS }),
  ),
  beta("--beta-start", "first beta"),
  beta("--beta-end", "last beta"),
  sigma("--sigma-min", "least noise level"),
  sigma("--sigma-max", "largest noise level"),
  new Option("--zero-terminal-snr", "rescale it so that x_T is pure noise"),
  new Option("--rescale-betas", "multiply first and last beta by 1000/T"),
  flag(
    "--prediction <name>",
    `what the network predicts: ${parameterisations.join(", ")} (default eps)`,
    choice("--prediction", parameterisations),
  ),
  flag("--steps <n>", "sampling steps to check, at most T", integer("--steps", { min: 1 })),
  flag("--spacing <name>", `of the sampling steps: ${spacingNames.join(", ")}`, choice("--spacing", spacingNames)),
];
