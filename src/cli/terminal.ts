import pico from "picocolors";
import { codeOf, ioError } from "../formats/io-error.ts";
import { escaped, messageLine } from "../math/shown.ts";
import type { Io, OutputStream } from "./io.ts";

type Colours = ReturnType<typeof pico.createColors>;

/** Colours for a stream: where it is a terminal and NO_COLOR is not set. */
export function coloursFor(stream: OutputStream, env: Io["env"]): Colours {
  return pico.createColors(stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb");
}

/** Our colours and line ends, which stay; all else that a terminal acts on comes from a name in a file. */
const OWN = /(\u001b\[\d{1,2}m|[\n\t])/;

function harmless(text: string): string {
  return text
    .split(OWN)
    .map((part, i) => (i % 2 === 1 ? part : escaped(part)))
    .join("");
}

/** Something drawn on stderr that must make room for a line of text. */
export interface Drawing {
  clear(): void;
}

/** Where a command speaks: data to stdout, all else to stderr. */
export class Terminal {
  readonly io: Io;
  readonly quiet: boolean;
  readonly colours: Colours;
  #drawing: Drawing | undefined;

  constructor(io: Io, { quiet = false }: { readonly quiet?: boolean } = {}) {
    this.io = io;
    this.quiet = quiet;
    this.colours = coloursFor(io.stderr, io.env);
  }

  /** Tells the user something, unless quiet. */
  say(text: string): void {
    if (this.quiet) return;
    this.#drawing?.clear();
    this.io.stderr.write(`${harmless(text)}\n`);
  }

  /** Warns, unless quiet. */
  warn(text: string): void {
    this.say(`${this.colours.yellow("warning:")} ${messageLine(text)}`);
  }

  /**
   * Writes text for people to stdout: names from files cannot act on the terminal.
   * @throws UnnoiseError `io` when it cannot be written
   */
  async tell(text: string): Promise<void> {
    await this.print(harmless(text));
  }

  /**
   * Writes data to stdout as they are. A reader that has gone away, as `head` does, wants no more.
   * @throws UnnoiseError `io` when it cannot be written
   */
  async print(content: string | Uint8Array): Promise<void> {
    await this.printed(content);
  }

  /** Writes data as `print` does, and says whether more is wanted. */
  async printed(content: string | Uint8Array): Promise<boolean> {
    this.#drawing?.clear();
    return new Promise((resolve, reject) => {
      this.io.stdout.write(content, (error) => {
        if (!error || codeOf(error) === "EPIPE") resolve(!error);
        else reject(ioError("write", "stdout", error));
      });
    });
  }

  /** Names what is drawn on stderr now, so that lines of text do not run into it. */
  draw(drawing: Drawing | undefined): void {
    this.#drawing = drawing;
  }
}
