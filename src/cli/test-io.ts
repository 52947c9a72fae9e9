import type { Io, OutputStream } from "./io.ts";
import { run } from "./main.ts";

/** What a command wrote and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RecordedIo extends Io {
  /** What was written so far. */
  readonly written: { stdout: string; stderr: string };
  /** Presses Ctrl-C: what has something to save is asked to. */
  readonly interrupt: () => void;
}

export interface RecordedIoOptions {
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly env?: Io["env"];
  /** What writing to stdout fails with. */
  readonly stdoutError?: Error;
}

/** A world for commands that keeps what they write. */
export function recordedIo({
  terminal = false,
  columns = 80,
  env = {},
  stdoutError,
}: RecordedIoOptions = {}): RecordedIo {
  const written = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const stream = (name: "stdout" | "stderr", error?: Error): OutputStream => ({
    isTTY: terminal,
    columns,
    write: (chunk, done) => {
      written[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
      done?.(error ?? null);
      return true;
    },
  });
  return {
    stdout: stream("stdout", stdoutError),
    stderr: stream("stderr"),
    env,
    onStop: ({ save }) => {
      if (save) listeners.add(save);
      return () => save && listeners.delete(save);
    },
    written,
    interrupt: () => listeners.forEach((save) => save()),
  };
}

/** Runs a command line in this process. */
export async function runHere(argv: readonly string[], options: RecordedIoOptions = {}): Promise<Ended> {
  const io = recordedIo(options);
  const code = await run(argv, io);
  return { code, ...io.written };
}
