import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Dataset } from "../data/dataset.ts";
import type { ImageDataset } from "../data/images.ts";
import { densityEndings } from "../data/points.node.ts";
import { isToyName } from "../data/toy.ts";
import { ioError } from "../formats/io-error.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { decodeNpy, encodeNpy } from "../formats/npy.ts";
import { checkNotDangling, checkNotLinked } from "../formats/link.node.ts";
import { LOCK, checkUnlocked, lockFolder, type Unlock } from "../formats/lock.node.ts";
import { isTemporary } from "../formats/temporary.node.ts";
import { readBoundedText } from "../formats/structured-file.node.ts";
import { readFileBytes, writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { CHECKSUMS, checksumsText, verifyChecksums, type NamedContent } from "./checksums.node.ts";
import { parseTrainingConfig, type TrainingConfig } from "./config.ts";
import { jsonText, readJson } from "./json-file.node.ts";
import { hasModel, loadModel, saveModel } from "./model-folder.node.ts";
import type { AnyModel } from "./model.ts";
import { openDataset, openImageData, type OpenHooks } from "./open-data.node.ts";
import { removeOwnFiles, sweepTemporaries } from "./own-files.node.ts";
import { csvHeader } from "./run-log-csv.ts";
import { parseLogLine, wholeLogBounds } from "./run-log-line.ts";
import type { LogEvent } from "./run-log-event.ts";

export type { LogEvent };

/** Version of the layout of a run folder; in config.json it marks the folder as unnoise's. */
const FORMAT = "0.1.0";
const marked = z.looseObject({ unnoise: z.string() });
/** What a run keeps of its images. */
const imageFacts = z.looseObject({ fingerprint: z.string() });
const markedHere = z.looseObject({ unnoise: z.literal(FORMAT) });

/**
 * What a path holds: `unfinished` is a run that was killed while it was made or removed, `damaged` a folder whose config.json is
 * not JSON, `other` what must not be touched.
 */
export type RunFolderContents = "nothing" | "unfinished" | "run" | "damaged" | "other";

/** Where a run keeps the picture or drawing that its data are drawn from. */
function densityPath(run: string, ending: string): string {
  return join(run, `data${ending}`);
}

/** What a run keeps of its images. */
function keptFacts({ fingerprint, count, shape, classes }: ImageDataset): NamedContent[] {
  return [["images.json", jsonText({ fingerprint, count, shape, ...(classes && { classes }) })]];
}

/** What a run keeps of its points: the user's own, or what they are drawn from. */
function keptData({ source, points, columns, draw }: Dataset): NamedContent[] {
  if (source !== undefined) return [[`data${source.ending}`, source.bytes]];
  if (draw !== undefined) return [];
  return [
    ["data.npy", encodeNpy(points)],
    ["columns.json", `${JSON.stringify(columns)}\n`],
  ];
}

/** Where a run keeps what. */
export class RunFolder {
  readonly path: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly csvPath: string;
  readonly dataPath: string;
  readonly columnsPath: string;
  readonly imagesPath: string;
  readonly modelPath: string;
  readonly checkpointsPath: string;
  readonly figuresPath: string;

  constructor(path: string) {
    this.path = path;
    this.configPath = join(path, "config.json");
    this.logPath = join(path, "log.jsonl");
    this.csvPath = join(path, "log.csv");
    this.dataPath = join(path, "data.npy");
    this.columnsPath = join(path, "columns.json");
    this.imagesPath = join(path, "images.json");
    this.modelPath = join(path, "model");
    this.checkpointsPath = join(path, "checkpoints");
    this.figuresPath = join(path, "figures");
  }

  /**
   * Says what the path holds.
   * @throws UnnoiseError `io` when its configuration cannot be read
   */
  async contents(): Promise<RunFolderContents> {
    const info = await stat(this.path).catch(() => undefined);
    if (!info) return "nothing";
    if (!info.isDirectory()) return "other";
    const names = await readdir(this.path).catch((cause: unknown) => {
      throw ioError("read", this.path, cause);
    });
    if (names.includes("config.json")) return this.#mark();
    return names.every((name) => isTemporary(name) || name.startsWith(LOCK)) ? "nothing" : "other";
  }

  async #mark(): Promise<RunFolderContents> {
    const value = await readJson(this.configPath, z.unknown()).catch((cause: unknown) => {
      if (cause instanceof UnnoiseError && cause.code === "run-folder") return undefined;
      throw cause;
    });
    if (value === undefined) return "damaged";
    const { success, data = {} } = marked.safeParse(value);
    if (!success) return "other";
    return Object.keys(data).length === 1 ? "unfinished" : "run";
  }

  /**
   * Checks that a new run may be made here.
   * @param overwrite whether an earlier run at this path may go; what is not a run of unnoise is never touched
   * @throws UnnoiseError `usage` when the path is taken
   */
  async checkFree({ overwrite }: { readonly overwrite: boolean }): Promise<void> {
    await checkNotDangling(this.path);
    const contents = await this.contents();
    if (contents !== "nothing" && overwrite) await checkNotLinked(this.path);
    if (contents === "other" || contents === "damaged") {
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
   * Takes the folder for this process alone; makes it where there is none. Who only reads needs no lock.
   * @returns gives it free
   * @throws UnnoiseError `usage` while another process writes here, `io`
   */
  async lock(): Promise<Unlock> {
    return lockFolder(this.path);
  }

  /**
   * Refuses a folder that another process writes in, before any work is done for it.
   * @throws UnnoiseError `usage`
   */
  async checkUnlocked(): Promise<void> {
    await checkUnlocked(this.path);
  }

  /**
   * Makes the folder for a new run, in place of an earlier one, whose files are removed by their names; all else stays. The
   * user's own points or picture are kept, so that the run stands by itself; of images only what tells whether they are still the same. The folder is marked first and gets its configuration last:
   * killed in between, it is known as a run that can be made anew.
   * @throws UnnoiseError `usage` when the path holds something else, `io` when the folder cannot be made
   */
  async create(config: TrainingConfig, dataset: Dataset | ImageDataset): Promise<void> {
    await this.checkFree({ overwrite: true });
    try {
      await makeFolder(this.path);
      await writeFileAtomic(this.configPath, jsonText({ unnoise: FORMAT }));
      await removeOwnFiles(this.path);
    } catch (cause) {
      throw ioError("create", this.path, cause);
    }
    const text = jsonText({ unnoise: FORMAT, ...config });
    const kept = "fingerprint" in dataset ? keptFacts(dataset) : keptData(dataset);
    for (const [name, content] of kept) await writeFileAtomic(join(this.path, name), content);
    await writeFileAtomic(this.logPath, "");
    await writeFileAtomic(this.csvPath, csvHeader);
    await writeFileAtomic(join(this.path, CHECKSUMS), checksumsText([...kept, [basename(this.configPath), text]]));
    await writeFileAtomic(this.configPath, text);
  }

  /**
   * Removes what a killed process left half-written; only for who writes the run.
   * @throws UnnoiseError `io`
   */
  async sweep(): Promise<void> {
    await sweepTemporaries(this.path).catch((cause: unknown) => {
      throw ioError("clean", this.path, cause);
    });
  }

  /**
   * Reads the configuration of the run.
   * @throws UnnoiseError `usage` when there is no run, `run-folder` when its configuration is damaged
   */
  async config(): Promise<TrainingConfig> {
    const contents = await this.contents();
    if (contents !== "run" && contents !== "damaged") {
      const make = `make one with: unnoise train <data> --out ${this.path}`;
      const advice = contents === "other" ? "check the path" : make;
      throw new UnnoiseError("usage", `${this.path} is not a run of unnoise; ${advice}`);
    }
    const { unnoise: _, ...options } = await readJson(this.configPath, markedHere);
    try {
      const config = parseTrainingConfig(options, this.configPath);
      await verifyChecksums(this.path, [basename(this.configPath)]);
      return config;
    } catch (cause) {
      throw new UnnoiseError("run-folder", (cause as Error).message, { cause });
    }
  }

  /** The data of a run: generated again from the configuration, or the copy of the user's points or picture that the run keeps. */
  async dataset(config: TrainingConfig): Promise<Dataset> {
    if (isToyName(config.data)) return openDataset(config);
    const density = await this.#keptDensity();
    const dataset = await (density === undefined
      ? this.#keptPoints(config)
      : openDataset({ ...config, data: density }));
    await verifyChecksums(this.path, density === undefined ? ["data.npy", "columns.json"] : [basename(density)]);
    return { ...dataset, name: config.data };
  }

  /**
   * Opens the images of a run again.
   * @throws UnnoiseError `run-folder` when they are no longer those that it was trained on, or as `openImageData`
   */
  async images(config: TrainingConfig, hooks: OpenHooks = {}): Promise<ImageDataset> {
    const { fingerprint } = await readJson(this.imagesPath, imageFacts);
    await verifyChecksums(this.path, [basename(this.imagesPath)]);
    const images = await openImageData(config, hooks);
    if (images.fingerprint === fingerprint) return images;
    const advice = "bring back the images as they were, or start a new run";
    throw new UnnoiseError("run-folder", `${config.data}: not the images that ${this.path} was trained on; ${advice}`);
  }

  async #keptDensity(): Promise<string | undefined> {
    const names = await readdir(this.path);
    return densityEndings
      .map((ending) => densityPath(this.path, ending))
      .find((path) => names.includes(basename(path)));
  }

  /**
   * Reads the log.
   * @param onDamage told the number of each damaged line, which is left out
   * @throws UnnoiseError `run-folder` when a line is damaged and there is no `onDamage`; a last line without its end is left out, as a crash leaves it
   */
  async events(onDamage?: (line: number) => void): Promise<LogEvent[]> {
    const text = await readBoundedText(this.logPath, {
      where: this.logPath,
      code: "run-folder",
      bounds: wholeLogBounds,
    });
    const lines = text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .slice(0, -1);
    return lines.flatMap((line, i) => {
      try {
        return parseLogLine(line, `${this.logPath}: line ${i + 1} is damaged`);
      } catch (cause) {
        if (onDamage === undefined) throw cause;
        onDamage(i + 1);
        return [];
      }
    });
  }

  async saveModel(model: AnyModel): Promise<void> {
    await saveModel(model, this.modelPath);
  }

  /**
   * Reads the model of the run.
   * @throws UnnoiseError `usage` when this is no run or it has no model yet, `run-folder` or `format` when a file is damaged
   */
  async model(): Promise<AnyModel> {
    const config = await this.config();
    if (!(await hasModel(this.modelPath))) {
      const advice = `finish it with: unnoise train ${config.data} --out ${this.path} --resume`;
      throw new UnnoiseError("run-folder", `${this.path} has no model yet; ${advice}`);
    }
    return loadModel(this.modelPath);
  }

  async #keptPoints(config: TrainingConfig): Promise<Dataset> {
    const { shape, data } = decodeNpy(await readFileBytes(this.dataPath), this.dataPath);
    const columns = await readJson(this.columnsPath, z.array(z.string()));
    if (shape.length !== 2 || shape[1] !== columns.length) {
      const got = `[${shape.join(", ")}] and ${columns.length} names`;
      throw new UnnoiseError(
        "run-folder",
        `${this.dataPath} and columns.json do not fit each other: ${got}; train again`,
      );
    }
    const values = Float32Array.from(data);
    if (!values.every(Number.isFinite)) {
      throw new UnnoiseError("run-folder", `${this.dataPath} holds NaN or infinity; restore the file or train again`);
    }
    return { name: config.data, columns, points: floatTensor(values, shape) };
  }
}
