import { interruptible } from "./interrupt.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

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
