import { exitCodes } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Runs work that Ctrl-C stops: the first asks it to stop through its signal, the second ends the process at once.
 * @param stopping what is said when it is asked, such as "saving"
 */
export async function interruptible<T>(
  terminal: Terminal,
  stopping: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const release = terminal.io.onInterrupt(() => {
    if (controller.signal.aborted) terminal.io.exit(exitCodes.interrupted);
    controller.abort();
    terminal.say(`${stopping} (Ctrl-C again stops at once)`);
  });
  try {
    return await work(controller.signal);
  } finally {
    release();
  }
}
