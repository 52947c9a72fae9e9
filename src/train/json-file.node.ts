import type { z } from "zod";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";

const ADVICE = "restore the file or train again";
const SHOWN = 60;

/** JSON of what was found, short enough for one line. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], value);
}

function parse(text: string, path: string, advice: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The engine quotes the file, line ends included.
    const reason = (cause as Error).message.replace(/\s+/g, " ");
    throw new UnnoiseError("run-folder", `${path}: not JSON (${reason}); ${advice}`, { cause });
  }
}

/**
 * Reads a JSON file that unnoise wrote and checks it.
 * @param advice what to do about a damaged one
 * @throws UnnoiseError `io` when it cannot be read; `run-folder` when it is not JSON or not what the schema expects, naming the
 * key and what was found there
 */
export async function readJson<T>(path: string, schema: z.ZodType<T>, advice: string = ADVICE): Promise<T> {
  const value = parse(new TextDecoder().decode(await readFileBytes(path)), path, advice);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: keys = [], message = "not understood" } = parsed.error.issues[0] ?? {};
  const where = keys.length === 0 ? "" : `${keys.join(".")}: `;
  throw new UnnoiseError("run-folder", `${path}: ${where}${message}, got ${shown(valueAt(value, keys))}; ${advice}`);
}

/** The text of a JSON file, indented for people. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
