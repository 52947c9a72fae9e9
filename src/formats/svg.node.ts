import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { UnnoiseError } from "../math/error.ts";
import { fontFiles } from "./fonts.node.ts";
import { endWithProgram } from "./leftovers.node.ts";
import type { DeepImage } from "./image.ts";
import { checkSvgSource } from "./svg-source.ts";

/** Pixels along the longer side of a drawing. */
const LONGER_SIDE = 1024;
/** Seconds that drawing may take. */
const PATIENCE = 20;
/** Width, height, then the pixels. */
const HEADER_BYTES = 8;
const MOST_BYTES = HEADER_BYTES + 4 * LONGER_SIDE ** 2;

/** Reads markup from stdin, and writes width, height and pixels to stdout; what went wrong goes to stderr. */
const DRAW = `
const { Resvg } = require(process.argv[1]);
const font = { fontFiles: JSON.parse(process.argv[2]), loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" };
const parts = [];
process.stdin.on("data", (part) => parts.push(part)).on("end", () => {
  try {
    const svg = Buffer.concat(parts).toString();
    const { width, height } = new Resvg(svg, { font });
    const fitTo = { mode: width >= height ? "width" : "height", value: ${LONGER_SIDE} };
    const image = new Resvg(svg, { font, fitTo, background: "white" }).render();
    const header = Buffer.alloc(${HEADER_BYTES});
    header.writeUInt32LE(image.width, 0);
    header.writeUInt32LE(image.height, 4);
    process.stdout.write(Buffer.concat([header, image.pixels]));
  } catch (error) {
    process.stderr.write(String(error && error.message ? error.message : error));
    process.exitCode = 1;
  }
});
`;

/**
 * Draws SVG markup on white as pixels, 1024 along its longer side; text is set in DejaVu Sans. It is drawn by a process of its own, so that
 * markup which stops the renderer, or keeps it for ever, costs no more than that process.
 * @param where what error messages call the source, such as the file's name
 * @throws UnnoiseError `format` when the markup is not valid SVG, has no size, reaches outside itself or takes over 20 s
 */
export async function decodeSvg(svg: string, where: string): Promise<DeepImage> {
  checkSvgSource(svg, where);
  const { code, signal, output, said } = await drawn(svg);
  const [width = 0, height = 0] = output.length < HEADER_BYTES ? [] : [output.readUInt32LE(0), output.readUInt32LE(4)];
  const pixels = output.subarray(HEADER_BYTES);
  if (code === 0 && pixels.length === 4 * width * height) {
    return { width, height, data: new Uint8Array(pixels), largest: 255 };
  }
  const late = `it took over ${PATIENCE} s to draw`;
  const reason =
    signal === "SIGKILL" ? late : said === "" ? `the renderer ended with ${signal ?? code ?? "nothing"}` : said;
  throw new UnnoiseError("format", `${where}: expected a drawing in SVG, got an error: ${reason}`);
}

interface Drawn {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: Buffer;
  readonly said: string;
}

function drawn(svg: string): Promise<Drawn> {
  const resvg = createRequire(import.meta.url).resolve("@resvg/resvg-js");
  const child = spawn(process.execPath, ["-e", DRAW, resvg, JSON.stringify(fontFiles())], {
    stdio: "pipe",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE * 1000);
  const release = endWithProgram(child);
  const [parts, words]: [Buffer[], Buffer[]] = [[], []];
  let bytes = 0;
  child.stdout.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > MOST_BYTES) child.kill("SIGKILL");
    else parts.push(part);
  });
  child.stderr.on("data", (part: Buffer) => {
    if (words.length < 16) words.push(part);
  });
  // A renderer that ends early breaks the pipe; how it ended is told below.
  child.stdin.on("error", () => undefined).end(svg);
  return new Promise((resolve, reject) => {
    const ended = (): void => {
      clearTimeout(timer);
      release();
    };
    child.once("error", (cause) => {
      ended();
      reject(new UnnoiseError("runtime", `no process to draw SVG could be started: ${cause.message}`, { cause }));
    });
    child.once("close", (code, signal) => {
      ended();
      resolve({ code, signal, output: Buffer.concat(parts), said: Buffer.concat(words).toString().trim() });
    });
  });
}
