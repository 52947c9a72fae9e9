import { SingleBar } from "cli-progress";
import { at } from "../math/error.ts";
import type { Terminal } from "./terminal.ts";
import { duration, grouped } from "../math/text.ts";

export interface ProgressOptions {
  readonly label: string;
  readonly total: number;
  /** What was done before. */
  readonly start?: number;
  /** What is counted, such as "steps": its speed is shown. */
  readonly unit?: string;
  /** How many of the unit one of what is done stands for (default 1), such as the images of a step. */
  readonly each?: number;
  /** Seconds of work before anything is shown (default 0). */
  readonly delay?: number;
}

/** The speed shown is that of this stretch of time, so that the time left follows when the machine gets busy. */
const RECENT_MS = 15_000;
/** Speed over less time than this says little. */
const TELLING_MS = 1000;
const BAR_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 10_000;
const LONGEST_BAR = 32;
const SHORTEST_BAR = 6;

/** 12.345 a second as "12 steps/s". */
function speedText(rate: number, unit: string): string {
  return `${rate >= 10 ? grouped(Math.round(rate)) : rate.toFixed(1)} ${unit}/s`;
}

/** How far some work has come, on stderr: a bar on a terminal, else a line every ten seconds. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #options: Required<ProgressOptions>;
  readonly #interval: number;
  readonly #live: boolean;
  #next: number;
  #done: number;
  #bar: SingleBar | undefined;
  #notes: readonly string[] = [];
  /** When how much was done, not older than RECENT_MS but for the first. */
  #marks: { readonly time: number; readonly done: number }[];

  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = { start: 0, unit: "", each: 1, delay: 0, ...options };
    this.#live = terminal.io.stderr.isTTY === true;
    this.#interval = this.#live ? BAR_INTERVAL_MS : LINE_INTERVAL_MS;
    const now = performance.now();
    this.#next = now + Math.max(this.#options.delay * 1000, this.#live ? 0 : LINE_INTERVAL_MS);
    this.#done = this.#options.start;
    this.#marks = [{ time: now, done: this.#done }];
  }

  /** @param notes what else to show, such as the loss, the least important first; made only when it is shown */
  update(done: number, notes?: () => readonly string[]): void {
    this.#done = done;
    const now = performance.now();
    if (now < this.#next || this.#terminal.quiet) return;
    this.#next = now + this.#interval;
    while ((this.#marks[1]?.time ?? Infinity) < now - RECENT_MS) this.#marks.shift();
    this.#marks.push({ time: now, done });
    this.#notes = notes?.() ?? [];
    if (this.#live) this.#draw();
    else this.#terminal.say(this.#line());
  }

  /** Takes the bar away. */
  stop(): void {
    this.clear();
    this.#next = Infinity;
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#terminal.draw(undefined);
  }

  #draw(): void {
    if (this.#bar) this.#bar.update(this.#done);
    else this.#start();
  }

  #start(): void {
    this.#terminal.draw(this);
    this.#bar = new SingleBar({
      stream: this.#terminal.io.stderr as unknown as NodeJS.WritableStream,
      format: () => this.#barLine(),
      fps: 1000 / BAR_INTERVAL_MS,
      clearOnComplete: true,
      forceRedraw: true,
      gracefulExit: false,
    });
    this.#bar.start(this.#options.total, this.#done);
  }

  #facts(): { readonly share: number; readonly facts: string[] } {
    const { total, unit, each } = this.#options;
    const share = this.#done / total;
    const { time, done } = at(this.#marks, 0);
    const elapsed = performance.now() - time;
    if (elapsed < TELLING_MS) return { share, facts: [...this.#notes] };
    const rate = (1000 * (this.#done - done)) / elapsed;
    const speed = unit === "" ? [] : [speedText(each * rate, unit)];
    const left = `${duration((total - this.#done) / rate)} left`;
    return { share, facts: [...this.#notes, ...speed, left] };
  }

  #line(): string {
    const { label, total } = this.#options;
    const { share, facts } = this.#facts();
    const where = `${grouped(Math.floor(this.#done))} of ${grouped(total)} (${Math.floor(100 * share)} %)`;
    return `${label}: ${[where, ...facts].join(", ")}`;
  }

  /** The bar takes what the facts leave of the terminal's width; facts that do not fit are left out, from the left. */
  #barLine(): string {
    const width = (this.#terminal.io.stderr.columns ?? 80) - 1;
    const label = this.#options.label.slice(0, Math.floor(width / 2));
    const { share, facts } = this.#facts();
    const percent = `${Math.floor(100 * share)} %`.padStart(5);
    const texts = facts.map((_, i) => [percent, ...facts.slice(i)].join("  "));
    const room = (text: string): number => width - label.length - text.length - 2;
    const text = texts.find((each) => room(each) >= SHORTEST_BAR) ?? percent;
    const length = Math.max(0, Math.min(LONGEST_BAR, room(text)));
    const filled = Math.round(share * length);
    return `${label} ${"█".repeat(filled)}${"░".repeat(length - filled)} ${text}`.slice(0, width);
  }
}
