/** A stream of the process, as the program's thread knows it. */
export interface StreamFacts {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
}

export type StreamName = "stdout" | "stderr";

/** What the program's thread is started with. */
export interface ThreadData {
  readonly argv: readonly string[];
  readonly streams: Readonly<Record<StreamName, StreamFacts>>;
}

/** What the program's thread tells the main thread. */
export type FromThread =
  /** Text or bytes for a stream; `id` where it waits for them to be written. */
  | { readonly write: string | Uint8Array; readonly stream: StreamName; readonly id: number | undefined }
  /** How a request to stop is met from now on; undefined: as usual. */
  | { readonly stop: { readonly says: string | undefined; readonly saves: boolean } | undefined }
  | { readonly ended: number };

/** An error of a write: of errors only the message would arrive whole. */
export interface WriteError {
  readonly message: string;
  readonly code: string | undefined;
}

/** What the main thread tells the program's. */
export type ToThread =
  | { readonly written: number; readonly error: WriteError | undefined }
  | { readonly columns: Readonly<Record<StreamName, number | undefined>> }
  | { readonly interrupt: true };
