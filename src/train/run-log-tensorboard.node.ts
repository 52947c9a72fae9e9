import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { tensorboardHeader, tensorboardRecord, type TensorboardEvent } from "../formats/tensorboard.ts";

const PATTERN = /^events\.out\.tfevents\.(\d{6})\.unnoise$/;

/** Whether a file name is that of an event file of a run. */
export function isEventFile(name: string): boolean {
  return PATTERN.test(name);
}

/**
 * TensorBoard's event files of a run: each start of the program that logs something begins a new one, since TensorBoard reads files in the
 * order of their names, goes on to the next by itself, and by the record with which a later file begins forgets what the earlier ones
 * tell of iterations that are done again. So files only ever grow, and one that a kill cut short spoils nothing.
 */
export class EventFiles {
  readonly #folder: string;
  readonly #iteration: number;
  readonly #now: () => number;
  #path: string | undefined;

  /**
   * @param folder of the run
   * @param iteration the last that was done before
   * @param now seconds since 1970
   */
  constructor(folder: string, iteration: number, now: () => number = () => Date.now() / 1000) {
    this.#folder = folder;
    this.#iteration = iteration;
    this.#now = now;
  }

  /** Adds events to the newest file. */
  async add(events: readonly TensorboardEvent[]): Promise<void> {
    if (events.length === 0) return;
    const wallTime = this.#now();
    const records = events.map((event) => tensorboardRecord(event, wallTime));
    const before = this.#path === undefined ? await this.#begin(wallTime) : [];
    const path = this.#path ?? "";
    try {
      await appendFile(path, Buffer.concat([...before, ...records]));
    } catch (cause) {
      throw ioError("write", path, cause);
    }
  }

  /** Names the next file, and gives the records that it begins with. */
  async #begin(wallTime: number): Promise<Uint8Array[]> {
    const names = await readdir(this.#folder).catch((cause: unknown) => {
      throw ioError("read", this.#folder, cause);
    });
    const last = Math.max(0, ...names.map((name) => Number(PATTERN.exec(name)?.[1] ?? 0)));
    this.#path = join(this.#folder, `events.out.tfevents.${String(last + 1).padStart(6, "0")}.unnoise`);
    const header = tensorboardHeader(wallTime);
    if (last === 0) return [header];
    return [header, tensorboardRecord({ kind: "start", step: this.#iteration + 1 }, wallTime)];
  }
}
