import { basename, join } from "node:path";
import type { DataKind, TrainingConfig } from "../train/config.ts";
import { emptyWindow, extendWindow } from "../train/loss-window.ts";
import type { MeasureEvent } from "../train/run-log-event.ts";
import type { TrainRunInfo, TrainRunOptions, TrainRunResult } from "../train/train-run.node.ts";
import type { StepReport } from "../train/trainer.ts";
import { summaryLines } from "../data/summary.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";
import { counted, duration, fileSize, grouped, shellWord } from "../math/text.ts";

/** Tells how a training run goes. */
export interface TrainingReporter {
  readonly hooks: Pick<TrainRunOptions, "onStart" | "onStep" | "onMeasure" | "onWarning">;
  readonly end: (result: TrainRunResult) => Promise<void>;
  /** Takes away what is still drawn, also after a failure. */
  readonly stop: () => void;
}

/** Share of the newest loss in the mean that the bar shows. */
const NEWEST = 0.01;

/** A running mean of losses, unbiased from its start. */
class SmoothedLoss {
  #sum = 0;
  #weight = 0;

  add(loss: number): void {
    this.#sum += NEWEST * (loss - this.#sum);
    this.#weight += NEWEST * (1 - this.#weight);
  }

  get value(): number {
    return this.#sum / this.#weight;
  }
}

/** For people: what runs, a bar, where it is, what to do next. */
export function textReporter(
  terminal: Terminal,
  { config, out }: TrainRunOptions,
  tellNext: boolean,
): TrainingReporter {
  const began = performance.now();
  const loss = new SmoothedLoss();
  let progress: Progress | undefined;
  let before = 0;
  const onStart = (info: TrainRunInfo): void => {
    before = info.iteration;
    terminal.say(startLines(info, config, out));
    progress = trainingProgress(terminal, info, config);
  };
  const onStep = (report: StepReport): void => {
    loss.add(report.loss);
    progress?.update(report.iteration, () => [fileSize(residentBytes()), `loss ${loss.value.toFixed(4)}`]);
  };
  const end = (result: TrainRunResult): Promise<void> => {
    progress?.stop();
    if (result.status === "finished") terminal.say(endLine(result, before, began, out));
    if (result.status === "finished" && tellNext) terminal.say(nextLines(out));
    return Promise.resolve();
  };
  return {
    hooks: {
      onStart,
      onStep,
      onMeasure: (event) => terminal.say(measureLine(event, out)),
      onWarning: (message) => terminal.warn(message),
    },
    end,
    stop: () => progress?.stop(),
  };
}

const units: Readonly<Record<DataKind, string>> = { points: "point", images: "image" };

/** What the speed counts: of points steps, which are what people wait for; of images these. */
function speedOf({ kind, batchSize }: TrainingConfig): { readonly unit: string; readonly each: number } {
  return kind === "points" ? { unit: "steps", each: 1 } : { unit: "images", each: batchSize };
}

function trainingProgress(terminal: Terminal, info: TrainRunInfo, config: TrainingConfig): Progress {
  const { iteration: start, iterations: total } = info;
  return new Progress(terminal, { label: basename(config.data), total, start, ...speedOf(config) });
}

/** Memory that this process holds now. */
const residentBytes = (): number => process.memoryUsage.rss();

function measureLine(event: MeasureEvent, out: string): string {
  const when = `iteration ${grouped(event.iteration)}`;
  if (event.event === "samples") return `${when}: samples in ${join(out, event.path)}`;
  const { bitsPerDimension, bitsStandardError, images } = event;
  const bits = `${bitsPerDimension.toFixed(3)} ± ${bitsStandardError.toFixed(3)} bits/dim`;
  return `${when}: ${bits} on ${counted(images, "held-out image")}`;
}

function startLines(info: TrainRunInfo, { data, kind }: TrainingConfig, out: string): string {
  const { samples, parameters, iteration, iterations, device, threads, memory, summary } = info;
  const where = `${device}, ${counted(threads, "thread")}`;
  const todo =
    iteration === 0
      ? counted(iterations, "iteration")
      : `iterations ${grouped(iteration + 1)} to ${grouped(iterations)}`;
  const network = `network of ${counted(parameters, "parameter")}`;
  const needs = `needs about ${fileSize(memory.needed.total)} of ${fileSize(memory.total)} of memory`;
  return [
    `${data}: ${counted(samples, units[kind])}, ${network}, ${todo} on ${where}`,
    ...summaryLines(summary).map((line) => `  ${line}`),
    `${needs}, ${fileSize(memory.available)} free`,
    `run folder: ${out}`,
  ].join("\n");
}

function endLine({ iteration, loss }: TrainRunResult, before: number, began: number, out: string): string {
  const took = duration((performance.now() - began) / 1000);
  const done = iteration === before ? "it was already trained" : `trained in ${took}`;
  const mean = loss === undefined ? "" : `, loss ${loss.toFixed(4)}`;
  return `${done}${mean}; the run is in ${out}`;
}

function nextLines(out: string): string {
  const run = shellWord(out);
  const next = [`sample ${run} --out samples.png`, `evaluate ${run}`, `plot ${run} reverse --out reverse.gif`];
  return ["next:", ...next.map((line) => `  unnoise ${line}`)].join("\n");
}

/** Means since the last line, and how fast it went. */
class JsonProgress {
  readonly #config: TrainingConfig;
  #window = emptyWindow;
  #last = performance.now();

  constructor(config: TrainingConfig) {
    this.#config = config;
  }

  /** The time before the first iteration says nothing of its speed. */
  start(): void {
    this.#last = performance.now();
  }

  /** The event, where one is due after a step. */
  after({ iteration, loss, gradientNorm, learningRate }: StepReport): object | undefined {
    const { logEvery, iterations, batchSize } = this.#config;
    this.#window = extendWindow(this.#window, loss, gradientNorm);
    if (iteration % logEvery !== 0 && iteration !== iterations) return undefined;
    const { sum, gradientNormSum, count } = this.#window;
    const now = performance.now();
    const secondsEach = (now - this.#last) / 1000 / count;
    this.#window = emptyWindow;
    this.#last = now;
    return {
      ...{ event: "progress", iteration, loss: sum / count, gradientNorm: gradientNormSum / count, learningRate },
      samplesPerSecond: batchSize / secondsEach,
      secondsLeft: (iterations - iteration) * secondsEach,
      memory: residentBytes(),
    };
  }
}

/** For programs: one JSON object a line on stdout. */
export function jsonReporter(terminal: Terminal, { config, out }: TrainRunOptions): TrainingReporter {
  const progress = new JsonProgress(config);
  let written: Promise<void> = Promise.resolve();
  const emit = (event: object): void => {
    const text = `${JSON.stringify(event)}\n`;
    written = written.then(() => terminal.print(text));
    // A failed write is thrown by `end`; until then it must not count as unhandled.
    written.catch(() => undefined);
  };
  return {
    hooks: {
      onStart: (info) => {
        emit({ event: "start", out, data: config.data, ...info });
        progress.start();
      },
      onStep: (report) => {
        const event = progress.after(report);
        if (event) emit(event);
      },
      onMeasure: emit,
      onWarning: (message) => emit({ event: "warning", message }),
    },
    end: async (result) => {
      emit({ event: "end", ...result, out });
      await written;
    },
    stop: () => undefined,
  };
}
