import type { Terminal } from "./terminal.ts";

/**
 * Runs work that has something to save when it is asked to stop: then its signal aborts, and it ends by itself.
 * @param says what is told then, such as "saving"
 */
export async function savedOnStop<T>(
  terminal: Terminal,
  says: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const release = terminal.io.onStop({
    says: terminal.quiet ? undefined : says,
    save: () => controller.abort(),
  });
  return work(controller.signal).finally(release);
}
