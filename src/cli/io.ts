/** A stream that a command writes to; process.stdout is one. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
}

/** What a command sees of the world around it, apart from files: a test passes its own. */
export interface Io {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `listener` at each request to stop (Ctrl-C, SIGTERM); returns what ends that. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** The process itself. Errors of its streams reach the callback of each write. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) stream.on("error", () => undefined);
  return {
    stdout,
    stderr,
    env,
    onInterrupt: (listener) => {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => SIGNALS.forEach((signal) => process.off(signal, listener));
    },
    exit: (code) => process.exit(code),
  };
}
