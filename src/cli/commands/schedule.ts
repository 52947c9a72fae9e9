import { basename, extname } from "node:path";
import { loadBetas } from "../../data/betas.node.ts";
import { lintSchedule } from "../../diffusion/lint.ts";
import { lintSteps } from "../../diffusion/lint-steps.ts";
import type { Parameterisation } from "../../diffusion/parameterisation.ts";
import { posteriorVariance } from "../../diffusion/posterior.ts";
import { priorKl } from "../../diffusion/prior.ts";
import { alphaCumprodAt, logSnr, snr, type NoiseSchedule } from "../../diffusion/schedule.ts";
import {
  optionsOfSchedule,
  scheduleConfig,
  scheduleFromConfig,
  type ScheduleConfig,
  type ScheduleName,
  type ScheduleOption,
} from "../../diffusion/schedules/schedule-config.ts";
import { spacings, type SpacingName } from "../../diffusion/spacings.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { short } from "../../math/short.ts";
import { nearMiss } from "../../train/config.ts";
import type { Io } from "../io.ts";
import { openOutput, writeOutput, type OutputFlags } from "../output.ts";
import { scheduleFamilies } from "../schedule-flags.ts";
import { scheduleText } from "../schedule-text.ts";
import { Terminal } from "../terminal.ts";
import { counted, flagOf } from "../../math/text.ts";

export interface ScheduleCommandOptions extends OutputFlags {
  readonly timesteps?: number;
  readonly betaStart?: number;
  readonly betaEnd?: number;
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
  readonly zeroTerminalSnr?: boolean;
  readonly rescaleBetas?: boolean;
  readonly prediction?: Parameterisation;
  readonly steps?: number;
  readonly spacing?: SpacingName;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** A schedule and all that the command says about it. */
export interface ScheduleReport {
  readonly name: string;
  readonly config: ScheduleConfig;
  readonly schedule: NoiseSchedule;
  /** L_T in bits per dimension, for data of unit variance. */
  readonly priorBits: number;
  /** The sampling steps asked for, descending. */
  readonly steps: readonly number[] | undefined;
  readonly findings: readonly string[];
}

/** `unnoise schedule` */
export async function describeSchedule(name: string, options: ScheduleCommandOptions, io: Io): Promise<void> {
  const terminal = new Terminal(io, options);
  checkOutputs(options);
  const config = await configOf(name, options);
  const report = reportOf(name, config, options);
  if (options.json === true) return terminal.print(`${JSON.stringify(jsonOf(report))}\n`);
  if (options.out === undefined) await terminal.tell(scheduleText(report));
  else await draw(report, options, terminal);
  for (const finding of report.findings) terminal.warn(finding);
}

function checkOutputs({ json, out, format, overwrite, steps, spacing }: ScheduleCommandOptions): void {
  if (json === true && out !== undefined) {
    throw new UnnoiseError("usage", "--json and --out: expected one of them, got both; --json prints, --out draws");
  }
  if (out === undefined && (format !== undefined || overwrite === true)) {
    throw new UnnoiseError("usage", `--${overwrite === true ? "overwrite" : "format"}: only --out has use for it`);
  }
  if (spacing !== undefined && steps === undefined) {
    throw new UnnoiseError("usage", "--spacing: only --steps has use for it; add --steps or leave it out");
  }
}

const isFamily = (name: string): name is ScheduleName => scheduleFamilies.includes(name);

async function configOf(name: string, options: ScheduleCommandOptions): Promise<ScheduleConfig> {
  const family = isFamily(name) ? name : "custom";
  if (family === "custom" && extname(name) === "") throw unknownName(name);
  checkTaken(name, family, options);
  const { timesteps = null, betaStart = null, betaEnd = null, sigmaMin = null, sigmaMax = null } = options;
  const { zeroTerminalSnr = false, rescaleBetas = false } = options;
  const betas = family === "custom" ? await loadBetas(name) : null;
  const range = { betaStart, betaEnd, sigmaMin, sigmaMax };
  return scheduleConfig(family, { timesteps, ...range, zeroTerminalSnr, rescaleBetas, betas });
}

function unknownName(name: string): UnnoiseError {
  const near = nearMiss(name, scheduleFamilies);
  const advice = near === undefined ? "" : `; did you mean ${near}?`;
  const expected = `expected ${scheduleFamilies.join(", ")}, or a .json, .csv, .txt or .npy file of betas`;
  return new UnnoiseError("usage", `unknown schedule ${name === "" ? '""' : name}: ${expected}${advice}`);
}

type ScheduleFlag = Exclude<ScheduleOption, "betas">;
const flags: readonly ScheduleFlag[] = [
  "betaStart",
  "betaEnd",
  "sigmaMin",
  "sigmaMax",
  "zeroTerminalSnr",
  "rescaleBetas",
];

function checkTaken(name: string, family: ScheduleName, options: ScheduleCommandOptions): void {
  const takes = optionsOfSchedule(family);
  const extra = flags.find((key) => options[key] !== undefined && !takes.includes(key));
  if (extra === undefined) return;
  const known = ["timesteps", ...takes.filter((key) => key !== "betas")].map(flagOf).join(", ");
  throw new UnnoiseError("usage", `${flagOf(extra)}: ${name} has no use for it; it takes ${known}`);
}

/** Builds the schedule; what is wrong with the betas of a file is a fault of the file. */
function build(name: string, config: ScheduleConfig): NoiseSchedule {
  try {
    return scheduleFromConfig(config);
  } catch (error) {
    const ofFile = error instanceof UnnoiseError && config.betas !== null && error.message.startsWith("betas");
    throw ofFile ? new UnnoiseError("data", `${name}: ${error.message}`, { cause: error }) : error;
  }
}

function reportOf(name: string, config: ScheduleConfig, options: ScheduleCommandOptions): ScheduleReport {
  const schedule = build(name, config);
  const { prediction = "eps", spacing = "trailing" } = options;
  const { timesteps } = schedule;
  if (options.steps !== undefined && options.steps > timesteps) {
    throw new UnnoiseError("usage", `--steps: expected an integer in 1…${timesteps} (T), got ${options.steps}`);
  }
  const steps = options.steps === undefined ? undefined : spacings[spacing](schedule, options.steps);
  const stepFindings = steps === undefined ? [] : lintSteps(schedule, steps);
  return {
    name,
    config,
    schedule,
    priorBits: priorKl(schedule),
    steps: steps && [...steps],
    findings: [...lintSchedule(schedule, { parameterisation: prediction, config }), ...stepFindings],
  };
}

/** The whole report as data; JSON has no −∞, so log SNR is null where ᾱ = 0. */
function jsonOf({ name, config, schedule, priorBits, steps, findings }: ScheduleReport): object {
  const { timesteps, betas, alphasCumprod } = schedule;
  const { betas: _, ...options } = config;
  const each = (value: (schedule: NoiseSchedule, step: number) => number): number[] =>
    Array.from(betas, (_, step) => value(schedule, step));
  return {
    name,
    ...options,
    timesteps,
    alphaCumprodT: at(alphasCumprod, timesteps - 1),
    priorBits,
    findings,
    ...(steps === undefined ? {} : { steps }),
    betas: [...betas],
    alphasCumprod: each(alphaCumprodAt),
    snr: each(snr),
    logSnr: each(logSnr),
    posteriorVariances: each((...where) => posteriorVariance(...where)),
  };
}

async function draw(report: ScheduleReport, options: ScheduleCommandOptions, terminal: Terminal): Promise<void> {
  const target = await openOutput(options, ["svg", "png"], terminal);
  const { scheduleFigure } = await import("../../figures/schedule.ts");
  const { renderFigure } = await import("../../figures/render.node.ts");
  const { name, schedule, priorBits } = report;
  const posteriorVariances = Array.from(schedule.betas, (_, step) => posteriorVariance(schedule, step));
  const alphaCumprod = alphaCumprodAt(schedule, schedule.timesteps - 1);
  const notes = [`ᾱ_T = ${short(alphaCumprod)}, L_T = ${short(priorBits)} bits per dimension.`];
  const title = `${basename(name)}: noise schedule, T = ${schedule.timesteps}`;
  const figure = scheduleFigure({ schedule, posteriorVariances, title, notes });
  await writeOutput(target, await renderFigure(figure, target.format), terminal);
  if (target.path !== "-") terminal.say(`${target.path}: ${name} with ${counted(schedule.timesteps, "timestep")}`);
}
