import { UnnoiseError } from "../../math/error.ts";
import { interruptible } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { openRun } from "../open-run.ts";
import { Progress } from "../progress.ts";
import { measureQuality, qualityText } from "../quality.ts";
import {
  checkSamplerFlags,
  chooseSampler,
  placementOf,
  samplerFlagNames,
  type PlacementFlags,
  type SampledProcess,
  type SamplerChoice,
  type SamplerFlags,
} from "../sampler-choice.ts";
import type { OutputFlags } from "../output.ts";
import { Terminal } from "../terminal.ts";

export interface EvaluateCommandOptions extends SamplerFlags, PlacementFlags, OutputFlags {
  readonly bound?: boolean;
  readonly likelihood?: boolean;
  readonly oracle?: boolean;
  readonly count?: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `unnoise evaluate` */
export async function evaluate(path: string, options: EvaluateCommandOptions, io: Io): Promise<void> {
  checkSamplerFlags(options);
  if (options.bound === true || options.likelihood === true || options.oracle === true) {
    return (await import("./evaluate-bound.ts")).evaluateBound(path, options, io);
  }
  if (options.out !== undefined) {
    throw new UnnoiseError("usage", "--out: evaluate draws the bound only; add --bound, or leave it out");
  }
  const terminal = new Terminal(io, options);
  const run = await openRun(path);
  const choices = choicesOf(options, run);
  const quality = await withProgress(terminal, (signal, onProgress) => {
    const { count = 2000, seed = 0 } = options;
    return measureQuality(run, choices, { count, seed, signal, onProgress, ...placementOf(options) });
  });
  await terminal.print(
    options.json === true ? `${JSON.stringify({ run: path, ...quality }, null, 2)}\n` : qualityText(quality),
  );
}

/** The sampler that flags ask for, or both usual ones. */
export function choicesOf(flags: SamplerFlags, process: SampledProcess): SamplerChoice[] {
  if (samplerFlagNames.some((flag) => flags[flag] !== undefined)) return [chooseSampler(flags, process)];
  return (["ddpm", "ddim"] as const).map((sampler) => chooseSampler({ sampler }, process));
}

/** Measures with a bar, in percent, that shows after two seconds. */
export async function withProgress<T>(
  terminal: Terminal,
  measure: (signal: AbortSignal, onProgress: (share: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(terminal, { label: "measuring", total: 100, delay: 2 });
  return interruptible(terminal, "stopping", (signal) =>
    measure(signal, (share) => progress.update(Math.floor(100 * share))),
  ).finally(() => progress.stop());
}
