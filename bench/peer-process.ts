import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Contender } from "./contenders.ts";
import type { Checked, Failed, Ready, Request, Timed } from "./protocol.ts";

/** A contender that runs as a child process and answers one request at a time. */
export class PeerProcess {
  readonly contender: Contender;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #complaints = "";

  constructor(contender: Contender) {
    this.contender = contender;
    const [command = "", ...args] = contender.command;
    const threads = contender.threads === null ? {} : { OMP_NUM_THREADS: String(contender.threads) };
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...threads } });
    this.#child.stdin.on("error", () => undefined);
    this.#child.stderr.on(
      "data",
      (text: Buffer) => (this.#complaints = (this.#complaints + text.toString()).slice(-2000)),
    );
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  setup(problem: object): Promise<Ready> {
    const { variant, threads } = this.contender;
    return this.#ask<Ready>({ cmd: "setup", problem, variant, threads });
  }

  check(): Promise<Checked> {
    return this.#ask<Checked>({ cmd: "check" });
  }

  run(steps: number): Promise<Timed> {
    return this.#ask<Timed>({ cmd: "run", steps });
  }

  /** Ends the child and waits until it is gone. */
  async close(): Promise<void> {
    this.#reader.close();
    this.#child.stdin.end();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await once(this.#child, "exit");
    clearTimeout(timer);
  }

  async #ask<T extends object>(request: Request<object>): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`ended: ${this.#complaints.trim().split("\n").at(-1) ?? "no message"}`);
    const reply = JSON.parse(line.value) as T | Failed;
    if ("error" in reply) throw new Error(reply.error);
    return reply;
  }
}
