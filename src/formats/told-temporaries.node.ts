import { rmSync } from "node:fs";
import { BroadcastChannel } from "node:worker_threads";

/** Heard by all threads of the process. */
const NAME = "unnoise-temporaries";

let channel: BroadcastChannel | undefined;

function opened(): BroadcastChannel {
  channel ??= new BroadcastChannel(NAME);
  channel.unref();
  return channel;
}

/** Tells the program's main thread of a temporary file or folder before it is made, so that it is removed when the program is stopped. */
export function tellTemporary(path: string): void {
  opened().postMessage(path);
}

/** Temporary files and folders of all threads of this process, as they are told. */
export class ToldTemporaries {
  readonly #paths = new Set<string>();

  constructor() {
    opened().onmessage = (event: unknown) => this.#paths.add((event as { readonly data: string }).data);
  }

  /** Removes those that are there still; what cannot be removed stays. */
  remove(): void {
    for (const path of this.#paths) {
      try {
        rmSync(path, { recursive: true, force: true });
      } catch {
        // The next command that writes there removes what a process left.
      }
    }
  }
}
