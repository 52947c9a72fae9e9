import { join } from "node:path";
import { UnnoiseError, at } from "../../math/error.ts";
import type { TrainingConfig } from "../../train/config.ts";
import { openRun, type OpenRun } from "../../train/open-run.node.ts";
import { RunFolder } from "../../train/run-folder.node.ts";
import { trainRun } from "../../train/train-run.node.ts";
import { checkUnchanged } from "../data-file.node.ts";
import type { DataSource } from "../data-source.ts";
import type { DoneJob, Job, JobContext, JobKind } from "../job.ts";

/** What a training job is made of. */
export interface TrainJobConfig {
  /** Resolved; its data are those of the source. */
  readonly training: TrainingConfig;
  readonly digest: DataSource["digest"];
}

/** What a training job tells. */
export interface TrainValues {
  /** Iterations of the log, and the mean loss since the one before. */
  readonly iterations: readonly number[];
  readonly losses: readonly number[];
}

const RUN = "run";
const SECONDS_PER_ITERATION = 2e-4;
const SECONDS_PER_WEIGHT = 2e-11;

/** Time of one row through the network, about. */
export const secondsOfRow = ({ width, depth }: TrainingConfig): number => 2 * depth * width ** 2 * SECONDS_PER_WEIGHT;

/** What the training job that a job needs first trains. */
export const trainingOf = (needs: readonly Job[]): TrainingConfig => (at(needs, 0).config as TrainJobConfig).training;

/** Trains in a run folder; what was interrupted goes on from its last checkpoint. */
export const trainKind: JobKind<TrainJobConfig, TrainValues> = {
  name: "train",
  version: 1,
  seconds: ({ training }) =>
    training.iterations * (SECONDS_PER_ITERATION + 3 * training.batchSize * secondsOfRow(training)),
  run: async ({ training, digest }, context) => {
    await checkUnchanged({ data: training.data, digest });
    const folder = new RunFolder(join(context.folder, RUN));
    await trainIn(folder, training, context);
    const logged = (await folder.events()).filter((event) => event.event === "progress");
    return {
      values: {
        iterations: logged.map(({ iteration }) => iteration),
        losses: logged.map(({ loss }) => loss),
      },
      arrays: {},
    };
  },
};

async function trainIn(folder: RunFolder, config: TrainingConfig, { signal, onShare }: JobContext): Promise<void> {
  const resume = (await folder.contents()) === "run";
  const { status, iteration } = await trainRun({
    config,
    out: folder.path,
    resume,
    overwrite: !resume,
    signal,
    onStep: (report) => onShare(report.iteration / config.iterations),
  });
  if (status === "interrupted") throw new UnnoiseError("interrupted", `training stopped at iteration ${iteration}`);
}

/** The run that a training job left. */
export function runOf(job: DoneJob): Promise<OpenRun> {
  return openRun(join(job.folder, RUN));
}
