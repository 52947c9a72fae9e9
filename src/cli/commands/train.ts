import { isBlindAtStart } from "../../diffusion/lint.ts";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { UnnoiseError } from "../../math/error.ts";
import type { TrainingConfig } from "../../train/config.ts";
import { trainRun, type TrainRunOptions, type TrainRunResult } from "../../train/train-run.node.ts";
import { savedOnStop } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { Terminal } from "../terminal.ts";
import { shellWord } from "../../math/text.ts";
import { jsonReporter, textReporter } from "../training-reporter.ts";
import { trainingRequest, type RequestFlags } from "../training-request.ts";

export interface TrainCommandOptions extends RequestFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `unnoise train` */
export async function train(data: string | undefined, options: TrainCommandOptions, io: Io): Promise<void> {
  const { config, out } = await trainingRequest(data, options);
  const terminal = new Terminal(io, options);
  const { resume = false, overwrite = false } = options;
  const { json = false } = options;
  if (!resume) requireSamplable(config);
  const result = await runTraining(terminal, { config, out, resume, overwrite }, { json, tellNext: true });
  if (result.status === "interrupted") throw stopped(result, config, out);
}

/** The end of training proposes to sample, which such a network cannot start. */
function requireSamplable(config: TrainingConfig): void {
  if (config.schedule === "learned") return;
  const schedule = scheduleFromConfig(config);
  if (!isBlindAtStart(schedule, config.prediction)) return;
  const cause = config.zeroTerminalSnr ? ", or leave out --zero-terminal-snr" : "";
  throw new UnnoiseError(
    "usage",
    `schedule ${config.schedule}: x_T is pure noise (ᾱ_T = 0), where a network that predicts ${config.prediction} says nothing of ` +
      `the data, so that sampling cannot start; use --prediction v or --prediction x0${cause}`,
  );
}

/** How a training run is told. */
export interface TrainingReport {
  readonly json?: boolean;
  /** Whether to say at the end what can be done with the run. */
  readonly tellNext: boolean;
}

/** Trains in a folder, tells how it goes, and lets Ctrl-C stop it after saving. */
export async function runTraining(
  terminal: Terminal,
  request: TrainRunOptions,
  { json = false, tellNext }: TrainingReport,
): Promise<TrainRunResult> {
  const reporter = json ? jsonReporter(terminal, request) : textReporter(terminal, request, tellNext);
  try {
    const result = await savedOnStop(terminal, "stopping after this step, saving", (signal) =>
      trainRun({ ...request, ...reporter.hooks, signal }),
    );
    await reporter.end(result);
    return result;
  } finally {
    reporter.stop();
  }
}

function stopped({ iteration }: TrainRunResult, config: TrainingConfig, out: string): UnnoiseError {
  const command = `unnoise train ${shellWord(config.data)} --out ${shellWord(out)} --resume`;
  const where = `stopped after iteration ${iteration} of ${config.iterations}, saved`;
  return new UnnoiseError("interrupted", `${where}; go on with: ${command}`);
}
