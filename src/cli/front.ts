/**
 * The program as it is started: runs the command line in a thread of its own, so that this one hears signals whatever a command computes,
 * native code included. See docs/decisions/0009-signals.md.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Worker, SHARE_ENV } from "node:worker_threads";
import { codeOf } from "../formats/io-error.ts";
import { Leftovers } from "../formats/leftovers.node.ts";
import { NativeGate } from "../runtime/native-gate.node.ts";
import { exitCodes } from "./exit-codes.ts";
import type { FromThread, StreamFacts, StreamName, ThreadData, ToThread } from "./thread-messages.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What a call into native code, and then the threads, may take to end. */
const CALL_MS = 2_000;
const THREAD_MS = 500;
const LOOK_MS = 5;
/** As it is built: beside this file. */
const PROGRAM = new URL("./program-thread.js", import.meta.url);

const streams = { stdout: process.stdout, stderr: process.stderr };

const factsOf = ({ isTTY, columns }: NodeJS.WriteStream): StreamFacts => ({
  isTTY: (isTTY as boolean | undefined) === true,
  columns: columns,
});

/** Runs the command line of this process. */
export function main(program: URL = PROGRAM): void {
  const workerData: ThreadData = {
    argv: process.argv.slice(2),
    streams: { stdout: factsOf(process.stdout), stderr: factsOf(process.stderr) },
  };
  const gate = NativeGate.install();
  const front = new Front(new Worker(program, { workerData, env: SHARE_ENV }), gate);
  for (const signal of SIGNALS) process.on(signal, () => front.stop(signal));
}

/** The thread of the program, seen from the main thread. */
class Front {
  readonly #thread: Worker;
  readonly #gate: NativeGate;
  readonly #leftovers = new Leftovers();
  #stop: Extract<FromThread, { readonly stop: unknown }>["stop"];
  #asked = false;

  constructor(thread: Worker, gate: NativeGate) {
    this.#thread = thread;
    this.#gate = gate;
    thread.on("message", (message: FromThread) => this.#hear(message));
    thread.on("error", (error) => {
      process.stderr.write(`unnoise: ${String(error)}\n`);
      process.exitCode = exitCodes.failed;
    });
    thread.on("exit", (code) => {
      // The thread's own code: of an end that it did not announce.
      process.exitCode ??= code;
    });
    for (const name of ["stdout", "stderr"] as const) {
      // Errors reach the callback of each write.
      streams[name].on("error", () => undefined);
      streams[name].on("resize", () => {
        const columns = { stdout: streams.stdout.columns, stderr: streams.stderr.columns };
        this.#tell({ columns });
      });
    }
  }

  #tell(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  #hear(message: FromThread): void {
    if ("write" in message) this.#write(message.stream, message.write, message.id);
    else if ("stop" in message) this.#stop = message.stop;
    else process.exitCode = message.ended;
  }

  #write(stream: StreamName, content: string | Uint8Array, id: number | undefined): void {
    streams[stream].write(content, (error) => {
      if (id !== undefined)
        this.#tell({ written: id, error: error ? { message: error.message, code: codeOf(error) } : undefined });
    });
  }

  /** The first request asks a command to save that has something to save; any other ends it. */
  stop(signal: NodeJS.Signals): void {
    const first = !this.#asked;
    this.#asked = true;
    if (first && this.#stop?.saves === true) {
      if (this.#stop.says !== undefined) this.#say(`${this.#stop.says} (Ctrl-C again stops at once)`);
      this.#tell({ interrupt: true });
      return;
    }
    const kept = first && this.#stop?.says !== undefined ? `; ${this.#stop.says}` : "";
    this.#say(`unnoise: stopped by ${signal}${kept}`);
    void this.#end();
  }

  /** On a line of its own, in place of a bar. */
  #say(text: string): void {
    process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[2K" : ""}${text}\n`);
  }

  /**
   * `process.exit` waits for what runs in native code. Where that takes too long, the process ends by a signal, which a shell tells as 130
   * too; process 1 of a container does not hear it.
   */
  async #end(): Promise<void> {
    for (const signal of SIGNALS) process.removeAllListeners(signal);
    this.#thread.removeAllListeners("exit");
    this.#gate.close();
    const ended = (await this.#callsEnded()) && (await Promise.race([this.#thread.terminate(), pause(THREAD_MS)]));
    this.#leftovers.remove();
    if (ended === false || ended === undefined) process.kill(process.pid, "SIGINT");
    process.exit(exitCodes.interrupted);
  }

  async #callsEnded(): Promise<boolean> {
    for (let waited = 0; this.#gate.busy && waited < CALL_MS; waited += LOOK_MS) await pause(LOOK_MS);
    return !this.#gate.busy;
  }
}
