import { appendFile, open } from "node:fs/promises";
import { ioError } from "../formats/io-error.ts";
import type { TensorboardEvent, TensorboardImage } from "../formats/tensorboard.ts";
import { shown } from "../math/shown.ts";
import { writeFileAtomic } from "../formats/write-file.node.ts";
import type { TrainingConfig } from "./config.ts";
import { csvHeader, csvLines, numbersOf } from "./run-log-csv.ts";
import type { LogEvent } from "./run-log-event.ts";
import { EventFiles } from "./run-log-tensorboard.node.ts";
import type { RunFolder } from "./run-folder.node.ts";

type Paths = Pick<RunFolder, "path" | "logPath" | "csvPath">;

/**
 * The log of a run: every event as a line of log.jsonl, its numbers as a line of log.csv, and where it is asked for, its numbers and
 * pictures in TensorBoard's event files.
 */
export class RunLog {
  readonly #paths: Paths;
  readonly #eventFiles: EventFiles | undefined;

  private constructor(paths: Paths, { tensorboard }: Pick<TrainingConfig, "tensorboard">, iteration: number) {
    this.#paths = paths;
    this.#eventFiles = tensorboard ? new EventFiles(paths.path, iteration) : undefined;
  }

  /** The log of a run that was just made. */
  static of(folder: RunFolder, config: TrainingConfig): RunLog {
    return new RunLog(folder, config, 0);
  }

  /**
   * The log of a run that goes on, without what it wrote after `iteration`, or without all, because it will write it again. Damaged lines are left out, so that
   * a log never keeps a run from going on. log.csv is
   * made anew from log.jsonl, so that it need not be saved with each checkpoint.
   */
  static async rewound(
    folder: RunFolder,
    config: TrainingConfig,
    iteration: number | undefined,
    onDamage: (message: string) => void,
  ): Promise<RunLog> {
    const damaged: number[] = [];
    const events = iteration === undefined ? [] : await folder.events((line) => void damaged.push(line));
    if (damaged.length > 0) onDamage(`${folder.logPath}: damaged lines are left out: ${shown(damaged)}`);
    const kept = events
      .filter((event) => !("iteration" in event) || event.iteration <= (iteration ?? 0))
      .filter(({ event }) => event !== "end");
    await writeFileAtomic(folder.logPath, jsonLines(kept));
    await writeFileAtomic(folder.csvPath, csvHeader + csvLines(kept));
    return new RunLog(folder, config, iteration ?? 0);
  }

  /**
   * Adds events.
   * @param picture what the event `samples` among them shows
   * @throws UnnoiseError `io`
   */
  async add(events: readonly LogEvent[], picture?: TensorboardImage): Promise<void> {
    await append(this.#paths.logPath, jsonLines(events));
    await append(this.#paths.csvPath, csvLines(events));
    await this.#eventFiles?.add(events.flatMap((event) => tensorboardEvents(event, picture)));
  }

  /** Has the disk keep the log as it is: a checkpoint must not outlive the lines before it. */
  async sync(): Promise<void> {
    const path = this.#paths.logPath;
    try {
      const file = await open(path, "r+");
      await file.sync().finally(() => file.close());
    } catch (cause) {
      throw ioError("write", path, cause);
    }
  }
}

const jsonLines = (events: readonly LogEvent[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join("");

async function append(path: string, text: string): Promise<void> {
  if (text === "") return;
  await appendFile(path, text).catch((cause: unknown) => {
    throw ioError("write", path, cause);
  });
}

function tensorboardEvents(event: LogEvent, picture: TensorboardImage | undefined): TensorboardEvent[] {
  const numbers = Object.entries(numbersOf(event)).map(([tag, value]) => ({ tag, value }));
  const pictures = event.event === "samples" && picture ? [{ tag: "samples", value: picture }] : [];
  const values = [...numbers, ...pictures];
  return values.length > 0 && "iteration" in event ? [{ kind: "values", step: event.iteration, values }] : [];
}
