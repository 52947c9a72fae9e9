import { basename } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import { scheduleOf, type DiffusionModel } from "../train/model.ts";
import { RunFolder } from "../train/run-folder.node.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";

/** A finished run, read from its folder. */
export interface OpenRun {
  readonly folder: RunFolder;
  /** What it was trained on, for titles. */
  readonly name: string;
  readonly model: DiffusionModel;
  readonly schedule: NoiseSchedule;
  /** Reads or generates its data. */
  readonly dataset: () => Promise<Dataset>;
}

/**
 * Opens a run that has a model.
 * @throws UnnoiseError `usage` when there is no run, `run-folder`, `format` or `io` when a file is missing or damaged
 */
export async function openRun(path: string): Promise<OpenRun> {
  const folder = new RunFolder(path);
  const config = await folder.config();
  const model = await folder.model();
  const dataset = (): Promise<Dataset> => folder.dataset(config);
  return { folder, name: basename(config.data), model, schedule: scheduleOf(model), dataset };
}
