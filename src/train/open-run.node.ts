import { basename } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import { reverseVarianceOf, scheduleOf, type DiffusionModel } from "./model.ts";
import { RunFolder } from "./run-folder.node.ts";
import type { ReverseVariance } from "../diffusion/samplers/ddpm.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";

/** A finished run, read from its folder. */
export interface OpenRun {
  readonly folder: RunFolder;
  /** What it was trained on, for titles. */
  readonly name: string;
  readonly model: DiffusionModel;
  readonly schedule: NoiseSchedule;
  /** The variance with which ancestral sampling follows the model. */
  readonly variance: ReverseVariance;
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
  const [schedule, variance] = [scheduleOf(model), reverseVarianceOf(model)];
  return { folder, name: basename(config.data), model, schedule, variance, dataset };
}
