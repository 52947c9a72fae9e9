/** A stream that a command writes to; process.stdout is one. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
}

/** What a request to stop (Ctrl-C, SIGTERM, SIGHUP) does while a command is at some work. */
export interface Stopping {
  /** Told when it comes: how the command ends, or what is kept. */
  readonly says: string | undefined;
  /** Asks the command to save and end; without it the process ends at once. A second request ends it in any case. */
  readonly save?: () => void;
}

/** What a command sees of the world around it, apart from files: a test passes its own. */
export interface Io {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Says how requests to stop are met, which else end the process at once; returns what ends that. */
  readonly onStop: (stopping: Stopping) => () => void;
}
