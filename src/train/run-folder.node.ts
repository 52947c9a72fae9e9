import { appendFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { toyDataset, type Dataset } from "../data/dataset.ts";
import { loadPoints } from "../data/points.node.ts";
import { toyDatasets, type ToyName } from "../data/toy.ts";
import { ioError } from "../formats/io-error.ts";
import { decodeNpy, encodeNpy } from "../formats/npy.ts";
import { isTemporary, readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import { loadModel, saveModel } from "./model-folder.node.ts";
import type { DiffusionModel } from "./model.ts";

/** One line of `log.jsonl`. */
export type LogEvent =
  | { readonly event: "start"; readonly device: string; readonly threads: number; readonly parameters: number }
  | { readonly event: "resume"; readonly iteration: number }
  | {
      readonly event: "progress";
      readonly iteration: number;
      /** Mean L_simple since the line before. */
      readonly loss: number;
      readonly gradientNorm: number;
      readonly learningRate: number;
    }
  | { readonly event: "warning"; readonly message: string }
  | { readonly event: "end"; readonly iteration: number };

/** What a run that was not finished being made may hold. */
const isBeginning = (name: string): boolean =>
  ["log.jsonl", "data.npy", "columns.json"].includes(name) || isTemporary(name);
/** What a run that was not finished being removed may hold. */
const isRemains = (name: string): boolean =>
  isBeginning(name) || ["config.json", "model", "checkpoints", "figures"].includes(name);

const isToy = (name: string): name is ToyName => Object.hasOwn(toyDatasets, name);

/** Where a run keeps what. */
export class RunFolder {
  readonly path: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly dataPath: string;
  readonly columnsPath: string;
  readonly modelPath: string;
  readonly checkpointsPath: string;
  readonly figuresPath: string;

  constructor(path: string) {
    this.path = path;
    this.configPath = join(path, "config.json");
    this.logPath = join(path, "log.jsonl");
    this.dataPath = join(path, "data.npy");
    this.columnsPath = join(path, "columns.json");
    this.modelPath = join(path, "model");
    this.checkpointsPath = join(path, "checkpoints");
    this.figuresPath = join(path, "figures");
  }

  /** Whether the path holds nothing, a run, or something else that must not be touched. */
  async contents(): Promise<"nothing" | "run" | "other"> {
    const info = await stat(this.path).catch(() => undefined);
    if (!info) return "nothing";
    if (!info.isDirectory()) return "other";
    const names = await readdir(this.path);
    if (names.every(isBeginning)) return "nothing";
    return names.includes("config.json") && (names.includes("log.jsonl") || names.every(isRemains)) ? "run" : "other";
  }

  /**
   * Checks that a new run may be made here.
   * @param overwrite whether an earlier run at this path may go; anything that is not a run is never removed
   * @throws UnnoiseError `usage` when the path is taken
   */
  async checkFree({ overwrite }: { readonly overwrite: boolean }): Promise<void> {
    const contents = await this.contents();
    if (contents === "other") {
      throw new UnnoiseError(
        "usage",
        `${this.path} exists and is not a run of unnoise; choose another folder with --out`,
      );
    }
    if (contents === "run" && !overwrite) {
      const advice = "go on with --resume, replace it with --overwrite, or choose another folder with --out";
      throw new UnnoiseError("usage", `${this.path} already holds a run; ${advice}`);
    }
  }

  /**
   * Makes the folder for a new run, in place of an earlier one. The user's own points are kept, so that the run stands by itself;
   * the configuration is written last, because a folder that has one is a run.
   * @throws UnnoiseError `io` when it cannot be made
   */
  async create(config: TrainingConfig, dataset: Dataset): Promise<void> {
    try {
      if ((await this.contents()) === "run") await this.#removeRun();
      await mkdir(this.path, { recursive: true });
    } catch (cause) {
      throw ioError("create", this.path, cause);
    }
    if (!dataset.draw) {
      await writeFileAtomic(this.dataPath, encodeNpy(dataset.points));
      await writeFileAtomic(this.columnsPath, `${JSON.stringify(dataset.columns)}\n`);
    }
    await writeFileAtomic(this.logPath, "");
    await writeFileAtomic(this.configPath, `${JSON.stringify(config, null, 2)}\n`);
  }

  /**
   * Reads the configuration of the run.
   * @throws UnnoiseError `usage` when there is no run, `run-folder` when its configuration is damaged
   */
  async config(): Promise<TrainingConfig> {
    if ((await this.contents()) !== "run") {
      throw new UnnoiseError(
        "usage",
        `${this.path} is not a run of unnoise; make one with: unnoise train <data> --out ${this.path}`,
      );
    }
    const text = new TextDecoder().decode(await readFileBytes(this.configPath));
    try {
      return parseTrainingConfig(JSON.parse(text), this.configPath);
    } catch (cause) {
      const reason =
        cause instanceof SyntaxError ? `${this.configPath}: not JSON (${cause.message})` : (cause as Error).message;
      throw new UnnoiseError("run-folder", reason, { cause });
    }
  }

  /** The data of a run: generated again from the configuration, or the copy of the user's points that the run keeps. */
  async dataset(config: TrainingConfig): Promise<Dataset> {
    return isToy(config.data) ? openDataset(config) : this.#keptPoints(config);
  }

  /** Adds events to the log. */
  async log(events: readonly LogEvent[]): Promise<void> {
    try {
      await appendFile(this.logPath, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    } catch (cause) {
      throw ioError("write", this.logPath, cause);
    }
  }

  /**
   * Reads the log.
   * @throws UnnoiseError `run-folder` when a line is damaged; a last line without its end is left out, as a crash leaves it
   */
  async events(): Promise<LogEvent[]> {
    const text = new TextDecoder().decode(await readFileBytes(this.logPath));
    const lines = text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .slice(0, -1);
    return lines.map((line, i) => {
      try {
        return JSON.parse(line) as LogEvent;
      } catch (cause) {
        throw new UnnoiseError(
          "run-folder",
          `${this.logPath}: line ${i + 1} is damaged; restore the file or train again`,
          { cause },
        );
      }
    });
  }

  /** Takes from the log what a run wrote after `iteration`, because it will write it again. */
  async rewindLog(iteration: number): Promise<void> {
    const kept = (await this.events()).filter((event) => !("iteration" in event) || event.iteration <= iteration);
    const lines = kept.filter(({ event }) => event !== "end").map((event) => `${JSON.stringify(event)}\n`);
    await writeFileAtomic(this.logPath, lines.join(""));
  }

  async saveModel(model: DiffusionModel): Promise<void> {
    await saveModel(this.modelPath, model);
  }

  /**
   * Reads the model of the run.
   * @throws UnnoiseError `usage` when this is no run or it has no model yet, `run-folder` or `format` when a file is damaged
   */
  async model(): Promise<DiffusionModel> {
    const config = await this.config();
    const started = await stat(this.modelPath).catch(() => undefined);
    if (!started) {
      const advice = `finish it with: unnoise train ${config.data} --out ${this.path} --resume`;
      throw new UnnoiseError("run-folder", `${this.path} has no model yet; ${advice}`);
    }
    return loadModel(this.modelPath);
  }

  async #keptPoints(config: TrainingConfig): Promise<Dataset> {
    const { shape, data } = decodeNpy(await readFileBytes(this.dataPath), this.dataPath);
    const columns = parseColumns(new TextDecoder().decode(await readFileBytes(this.columnsPath)), this.columnsPath);
    if (shape.length !== 2 || shape[1] !== columns.length) {
      const got = `[${shape.join(", ")}] and ${columns.length} names`;
      throw new UnnoiseError(
        "run-folder",
        `${this.dataPath} and columns.json do not fit each other: ${got}; train again`,
      );
    }
    return { name: config.data, columns, points: floatTensor(Float32Array.from(data), shape) };
  }

  /** Removes what a run wrote and nothing else; the configuration last, so that an interrupted removal is still a run. */
  async #removeRun(): Promise<void> {
    const leftovers = (await readdir(this.path)).filter(isTemporary).map((name) => join(this.path, name));
    const parts = [
      this.modelPath,
      this.checkpointsPath,
      this.figuresPath,
      this.dataPath,
      this.columnsPath,
      ...leftovers,
    ];
    await Promise.all(parts.map((path) => rm(path, { recursive: true, force: true })));
    for (const path of [this.logPath, this.configPath]) await rm(path, { force: true });
  }
}

function parseColumns(text: string, path: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
  throw new UnnoiseError(
    "run-folder",
    `${path}: expected a JSON list of column names; restore the file or train again`,
  );
}

/**
 * Opens the data that a configuration names: a toy set or the user's file.
 * @throws UnnoiseError `usage`, `io` or `data`: one line with file, row and column
 */
export async function openDataset({ data, dataSize, dataNoise, seed }: TrainingConfig): Promise<Dataset> {
  if (!isToy(data)) return loadPoints(data);
  return toyDataset(data, { count: dataSize, seed, ...(dataNoise === null ? {} : { noise: dataNoise }) });
}
