import { access, constants, readdir, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { ioError } from "../formats/io-error.ts";
import { checkNotDangling, checkNotLinked } from "../formats/link.node.ts";
import { writeNewFile, type Content } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import type { Terminal } from "./terminal.ts";

/** Flags that say where a result goes. */
export interface OutputFlags {
  readonly out?: string;
  readonly format?: string;
  readonly overwrite?: boolean;
}

/** A place that was found fit to write to. */
export interface OutputTarget<F extends string> {
  /** The file, or `-` for stdout. */
  readonly path: string;
  readonly format: F;
  readonly overwrite: boolean;
}

const STDOUT = "-";
const BINARY = ["npy", "png", "gif"];

/**
 * Finds out where to write and in which format, before any work is done for it.
 * @param formats what the command can write; the first is that of stdout
 * @param others what else may be named, for messages
 * @throws UnnoiseError `usage` for an unknown ending or a file that exists, `io` for a folder that cannot be written to
 */
export async function openOutput<F extends string>(
  { out, format: asked, overwrite = false }: OutputFlags,
  formats: readonly [F, ...F[]],
  terminal: Terminal,
  others = "",
): Promise<OutputTarget<F>> {
  const expected = `expected a file ending in ${endings(formats)}${others}, or - for stdout`;
  if (out === undefined) throw new UnnoiseError("usage", `--out is missing: ${expected}`);
  const format = asked === undefined ? formatOf(out, formats, expected) : knownFormat(asked, formats);
  if (out !== STDOUT) await checkFile(out, overwrite);
  else if (terminal.io.stdout.isTTY === true && BINARY.includes(format)) {
    throw new UnnoiseError("usage", `--out -: ${format} would garble the terminal; send it to a file or a pipe`);
  }
  return { path: out, format, overwrite };
}

const endings = (formats: readonly string[]): string => formats.map((format) => `.${format}`).join(", ");

function knownFormat<F extends string>(asked: string, formats: readonly F[]): F {
  const found = formats.find((format) => format === asked.toLowerCase());
  if (found !== undefined) return found;
  throw new UnnoiseError("usage", `--format: expected one of ${formats.join(", ")}, got ${asked}`);
}

function formatOf<F extends string>(out: string, formats: readonly [F, ...F[]], expected: string): F {
  if (out === STDOUT) return formats[0];
  const ending = extname(out).slice(1).toLowerCase();
  const found = formats.find((format) => format === ending);
  if (found !== undefined) return found;
  throw new UnnoiseError("usage", `--out ${out}: ${expected}`);
}

/**
 * Checks that a folder of files can be written, before any work is done for it.
 * @throws UnnoiseError `usage` for one that has files already
 */
export async function checkFolder(path: string, overwrite: boolean): Promise<void> {
  await checkNotDangling(path);
  const names = await readdir(path).catch(() => []);
  if (names.length > 0 && overwrite) await checkNotLinked(path);
  if (names.length === 0 || overwrite) return;
  throw new UnnoiseError("usage", `--out ${path}: it has files already; choose another name or add --overwrite`);
}

/**
 * Checks that a file can be written, before any work is done for it.
 * @throws UnnoiseError `usage` for a file that exists, `io` for a folder that cannot be written to
 */
export async function checkFile(path: string, overwrite: boolean): Promise<void> {
  await checkNotDangling(path);
  const present = await stat(path).catch(() => undefined);
  if (present?.isDirectory() === true) throw new UnnoiseError("usage", `--out ${path}: expected a file, got a folder`);
  if (present?.isFile() === true && !overwrite) {
    throw new UnnoiseError("usage", `--out ${path}: it already exists; choose another name or add --overwrite`);
  }
  try {
    await access(dirname(path), constants.W_OK);
  } catch (cause) {
    throw ioError("write", path, cause, `the folder ${dirname(path)} does not exist`);
  }
}

/**
 * Writes a result to its place.
 * @throws UnnoiseError `io` when it cannot be written; no part of it is left
 */
export async function writeOutput(
  { path, overwrite }: OutputTarget<string>,
  content: Content,
  terminal: Terminal,
): Promise<void> {
  if (path !== STDOUT) await writeNewFile(path, content, { overwrite });
  else if (typeof content === "string" || content instanceof Uint8Array) await terminal.print(content);
  else for await (const part of content) if (!(await terminal.printed(part))) return;
}
