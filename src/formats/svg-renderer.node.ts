import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { UnnoiseError } from "../math/error.ts";
import { fontFiles } from "./fonts.node.ts";
import { endWithProgram } from "./leftovers.node.ts";

/** Milliseconds that one drawing may take. */
const PATIENCE_MS = 4000;
/** Memory that a renderer may take, in MB; it takes 60 to 100 for ordinary drawings. */
const MOST_MEMORY = 1000;
/** Milliseconds after which a renderer without work is ended. */
const IDLE_MS = 2000;
const MOST_RENDERERS = Math.min(4, availableParallelism());

/**
 * Runs in the renderer. Drawing blocks its only thread, so a second one watches: memory, and that the process that asked is there.
 * What a renderer cannot say as a message, as it is about to end, it writes to stderr.
 */
const WATCH = `
const { workerData: { parent, most } } = require("node:worker_threads");
const { writeSync } = require("node:fs");
setInterval(() => {
  const isLarge = process.memoryUsage.rss() > most * 1e6;
  if (isLarge) writeSync(2, "it takes more than " + most + " MB to draw");
  if (isLarge || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, 20);
`;
const DRAW = `
const { Worker } = require("node:worker_threads");
const { Resvg } = require(process.argv[1]);
const [fontFiles, watch, parent, most] = JSON.parse(process.argv[2]);
const started = new Promise((resolve) => {
  new Worker(watch, { eval: true, workerData: { parent, most } }).once("online", resolve);
});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", async ({ svg, side }) => {
  await started;
  try {
    const files = svg.includes("text") ? fontFiles : [];
    const font = { fontFiles: files, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" };
    const { width, height } = new Resvg(svg, { font: { fontFiles: [], loadSystemFonts: false } });
    const fitTo = { mode: width >= height ? "width" : "height", value: side };
    const image = new Resvg(svg, { font, fitTo, background: "white" }).render();
    process.send({ width: image.width, height: image.height, pixels: image.pixels });
  } catch (error) {
    process.send({ failed: String(error && error.message ? error.message : error) });
  }
});
`;

/** What a renderer makes of a drawing: straight-alpha RGBA, or why there is none. */
export type Rendered =
  { readonly width: number; readonly height: number; readonly pixels: Uint8Array } | { readonly failed: string };

function noProcess(why: string): UnnoiseError {
  return new UnnoiseError(
    "runtime",
    `SVG: no process to draw it could be started (${why}); check that programs may be run`,
  );
}

/** One process that draws, one drawing at a time. */
class Renderer {
  readonly #child: ChildProcess;
  #words = "";
  /** Why it draws no more. */
  gone: string | undefined;

  constructor() {
    const resvg = createRequire(import.meta.url).resolve("@resvg/resvg-js");
    const settings = JSON.stringify([fontFiles(), WATCH, process.pid, MOST_MEMORY]);
    this.#child = spawn(process.execPath, ["-e", DRAW, resvg, settings], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    this.#child.stderr?.on("data", (part: Buffer) => {
      if (this.#words.length < 2000) this.#words += part.toString();
    });
    const release = endWithProgram(this.#child);
    this.#child.on("error", (cause) => this.#gone(cause.message));
    this.#child.on("exit", () => {
      release();
      this.#gone("it had ended");
    });
    this.#hold(false);
  }

  /** Whether this process lives on for the renderer: only while it waits for a drawing. */
  #hold(isHeld: boolean): void {
    const handles = [this.#child, this.#child.channel, this.#child.stderr];
    handles.forEach((handle) => {
      const each = handle as { ref?: () => void; unref?: () => void } | null | undefined;
      if (isHeld) each?.ref?.();
      else each?.unref?.();
    });
  }

  #gone(why: string): void {
    this.gone ??= why;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }

  render(svg: string, side: number, patience: number): Promise<Rendered> {
    const child = this.#child;
    if (this.gone !== undefined) return Promise.reject(noProcess(this.gone));
    this.#hold(true);
    return new Promise<Rendered>((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.end();
      }, patience);
      const settle = (): void => {
        clearTimeout(timer);
        child.off("message", answered).off("close", closed).off("error", missing);
        this.#hold(false);
      };
      const answered = (message: unknown): void => {
        settle();
        resolve(message as Rendered);
      };
      const closed = (code: number | null, signal: string | null): void => {
        settle();
        const said = this.#words.trim() || `the renderer ended with ${signal ?? String(code)}`;
        resolve({ failed: isLate ? `it takes more than ${patience / 1000} s to draw` : said });
      };
      const missing = (cause: Error): void => {
        settle();
        reject(noProcess(cause.message));
      };
      child.on("message", answered).on("close", closed).on("error", missing);
      // How a renderer that is gone has ended is told by its closing.
      child.send({ svg, side }, () => undefined);
    });
  }
}

const idle: Renderer[] = [];
const waiting: (() => void)[] = [];
let all = 0;
let idleTimer: NodeJS.Timeout | undefined;

function endIdle(): void {
  all -= idle.length;
  idle.splice(0).forEach((renderer) => renderer.end());
}

async function borrow(): Promise<Renderer> {
  for (;;) {
    const renderer = idle.pop();
    if (renderer && renderer.gone === undefined) return renderer;
    if (renderer) all--;
    else if (all < MOST_RENDERERS) {
      all++;
      return new Renderer();
    } else await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

/**
 * Draws markup in a process of its own, which is kept for the next drawing. Markup that ends the renderer, keeps it for more than
 * 4 s or takes more than 1 GB costs that process only, which never outlives this one.
 * @param side pixels along the longer side
 * @param patience milliseconds that drawing may take
 * @throws UnnoiseError `runtime` when no process can be started
 */
export async function renderApart(svg: string, side: number, patience: number = PATIENCE_MS): Promise<Rendered> {
  const renderer = await borrow();
  try {
    return await renderer.render(svg, side, patience);
  } finally {
    idle.push(renderer);
    waiting.shift()?.();
    clearTimeout(idleTimer);
    idleTimer = setTimeout(endIdle, IDLE_MS).unref();
  }
}
