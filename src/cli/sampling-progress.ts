import type { SamplerStep } from "../diffusion/sampler.ts";
import type { SampleGroup } from "../train/draw-samples.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Seconds of sampling before its progress is shown. */
const PATIENCE = 2;

/** How far sampling has come, over all groups of samples and steps; how many there are is known from the first step on. */
export class SamplingProgress {
  readonly #terminal: Terminal;
  #progress: Progress | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update({ index, count }: Pick<SamplerStep, "index" | "count">, group: SampleGroup): void {
    const total = count * group.groups;
    this.#progress ??= new Progress(this.#terminal, { label: "sampling", total, unit: "steps", delay: PATIENCE });
    this.#progress.update(group.index * count + index + 1);
  }

  /** Takes the bar away. */
  stop(): void {
    this.#progress?.stop();
  }
}
