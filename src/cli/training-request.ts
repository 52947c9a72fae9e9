import { extname, resolve } from "node:path";
import { loadBetas } from "../data/betas.node.ts";
import { readStructuredFile } from "../formats/structured-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { parseTrainingConfig, type NetworkFile, type TrainingConfig } from "../train/config.ts";
import { parseDenoiser } from "../train/denoiser-spec.ts";
import { dataKindOf } from "../train/open-data.node.ts";
import { RunFolder } from "../train/run-folder.node.ts";
import { resumedConfig } from "../train/train-run.node.ts";
import { readConfigFile } from "./config-file.ts";
import { checkTrainingData, defaultRunFolder, missingData } from "./data-name.ts";
import { isBetaFile, trainingKeys } from "./training-flags.ts";

/** Flags of `train` that say what to train and where. */
export interface RequestFlags extends Partial<Omit<TrainingConfig, "data">> {
  readonly out?: string;
  readonly config?: string;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** What to train and where. */
export interface TrainingRequest {
  readonly config: TrainingConfig;
  readonly out: string;
}

/**
 * Puts together what the user asked for: defaults, then --config, then flags; when a run is resumed, its own configuration.
 * @throws UnnoiseError `usage` for options that do not go together or differ from those of the run that is resumed
 */
export async function trainingRequest(data: string | undefined, flags: RequestFlags): Promise<TrainingRequest> {
  if (flags.resume === true && flags.overwrite === true) {
    throw new UnnoiseError("usage", "--resume and --overwrite: expected one of them, got both");
  }
  const fromFile = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const given = { ...fromFile, ...(await pickTraining(flags)), ...(data === undefined ? {} : { data }) };
  if (given.data !== undefined) checkTrainingData(given.data);
  const out = flags.out ?? (given.data === undefined ? undefined : defaultRunFolder(given.data));
  if (flags.resume === true) return resumedRequest(out, given);
  if (out === undefined || given.data === undefined) {
    throw missingData();
  }
  const where = flags.config === undefined ? "options" : `--config ${flags.config}`;
  const kind = await dataKindOf(given.data);
  return { config: parseTrainingConfig({ ...given, kind }, where), out };
}

/** What flags say of the training; files of betas and networks are read. */
async function pickTraining(flags: RequestFlags): Promise<Partial<TrainingConfig>> {
  const given: Partial<TrainingConfig> = Object.fromEntries(
    trainingKeys.filter((key) => flags[key] !== undefined).map((key) => [key, flags[key]]),
  );
  const { schedule, network } = given;
  const read: Partial<TrainingConfig> =
    typeof network === "string" && isNetworkFile(network) ? { network: await readNetwork(network) } : {};
  if (schedule === undefined || !isBetaFile(schedule)) return { ...given, ...read };
  return { ...given, ...read, schedule: "custom", betas: await loadBetas(schedule) };
}

/** The configuration in a file, checked so that errors name the file. */
async function readNetwork(path: string): Promise<NetworkFile> {
  const where = `--network ${path}`;
  const file = await readStructuredFile(path, where);
  parseDenoiser(file, where);
  return file;
}

/** Whether a value of --network is the name of a file. */
function isNetworkFile(value: string): boolean {
  return [".json", ".yaml", ".yml"].includes(extname(value).toLowerCase());
}

async function resumedRequest(out: string | undefined, given: Partial<TrainingConfig>): Promise<TrainingRequest> {
  if (out === undefined) {
    throw new UnnoiseError(
      "usage",
      "--resume: expected the data's name or --out FOLDER, to know which run to go on with",
    );
  }
  const saved = await new RunFolder(out).config();
  const { data = saved.data, ...rest } = given;
  const same = resolve(data) === resolve(saved.data);
  return { config: resumedConfig(saved, same ? rest : given), out };
}
