import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Measures with a bar, in percent, that shows after two seconds. */
export async function withProgress<T>(
  terminal: Terminal,
  measure: (onProgress: (share: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(terminal, { label: "measuring", total: 100, delay: 2 });
  return measure((share) => progress.update(Math.floor(100 * share))).finally(() => progress.stop());
}
