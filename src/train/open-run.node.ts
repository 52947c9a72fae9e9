import { basename } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import { UnnoiseError } from "../math/error.ts";
import { looksLikeDiffusers } from "./diffusers/folder.node.ts";
import { reverseVarianceOf, scheduleOf, type AnyModel, type PointModel } from "./model.ts";
import { RunFolder } from "./run-folder.node.ts";
import type { ReverseVariance } from "../diffusion/samplers/ddpm.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";

/** A finished run, read from its folder. */
export interface OpenAnyRun<M extends AnyModel = AnyModel> {
  readonly folder: RunFolder;
  /** What it was trained on, for titles. */
  readonly name: string;
  readonly model: M;
  readonly schedule: NoiseSchedule;
  /** The variance with which ancestral sampling follows the model. */
  readonly variance: ReverseVariance;
}

/** A finished run on points. */
export interface OpenRun extends OpenAnyRun<PointModel> {
  /** Reads or generates its data. */
  readonly dataset: () => Promise<Dataset>;
}

/**
 * Opens a run that has a model.
 * @throws UnnoiseError `usage` when there is no run, `run-folder`, `format` or `io` when a file is missing or damaged
 */
export async function openAnyRun(path: string): Promise<OpenAnyRun> {
  const folder = new RunFolder(path);
  const config = await folder.config();
  const model = await folder.model();
  const [schedule, variance] = [scheduleOf(model), reverseVarianceOf(model)];
  return { folder, name: basename(config.data), model, schedule, variance };
}

/** Whether a folder is no run but looks like a model of diffusers, whether or not it can be read. */
export async function isDiffusersFolder(path: string): Promise<boolean> {
  if ((await new RunFolder(path).contents()) !== "other") return false;
  return looksLikeDiffusers(path).catch(() => false);
}

/**
 * Opens a run on points.
 * @throws UnnoiseError `usage` for a run on images, else as `openAnyRun`
 */
export async function openRun(path: string): Promise<OpenRun> {
  const { model, ...run } = await openAnyRun(path);
  if (model.kind !== "points") {
    throw new UnnoiseError("usage", `${path} is a run on images: this works with runs on points only`);
  }
  return { ...run, model, dataset: async () => run.folder.dataset(await run.folder.config()) };
}
