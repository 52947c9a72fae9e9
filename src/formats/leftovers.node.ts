import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { BroadcastChannel } from "node:worker_threads";

/** Heard by all threads of the process. */
const NAME = "unnoise-leftovers";

type Told =
  | { readonly temporary: string }
  /** A process, and whether it runs. */
  | { readonly child: number; readonly runs: boolean };

let channel: BroadcastChannel | undefined;

function opened(): BroadcastChannel {
  channel ??= new BroadcastChannel(NAME);
  channel.unref();
  return channel;
}

const tell = (told: Told): void => opened().postMessage(told);

/** Tells the program's main thread of a temporary file or folder before it is made, so that it is removed when the program is stopped. */
export function tellTemporary(path: string): void {
  tell({ temporary: path });
}

/** Lets a child process end with this one, or when the program is stopped; returns what is called when it has ended. */
export function endWithProgram(child: ChildProcess): () => void {
  const { pid } = child;
  if (pid === undefined) return () => undefined;
  const stop = (): boolean => child.kill("SIGKILL");
  process.once("exit", stop);
  tell({ child: pid, runs: true });
  return () => {
    process.off("exit", stop);
    tell({ child: pid, runs: false });
  };
}

/** What all threads of this process would leave behind, as they tell it: temporary files and folders, and child processes. */
export class Leftovers {
  readonly #temporaries = new Set<string>();
  readonly #children = new Set<number>();

  constructor() {
    opened().onmessage = (event: unknown) => this.#hear((event as { readonly data: Told }).data);
  }

  #hear(told: Told): void {
    if ("temporary" in told) this.#temporaries.add(told.temporary);
    else if (told.runs) this.#children.add(told.child);
    else this.#children.delete(told.child);
  }

  /** Ends and removes what is there still; what cannot be removed stays. */
  remove(): void {
    for (const child of this.#children) orNot(() => process.kill(child, "SIGKILL"));
    for (const path of this.#temporaries) orNot(() => rmSync(path, { recursive: true, force: true }));
  }
}

/** A process may be gone, and the next command that writes there removes files that are left. */
function orNot(act: () => unknown): void {
  try {
    act();
  } catch {
    // As said.
  }
}
