import { extname } from "node:path";
import { readFileBytes } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { checkTrainingOptions, type TrainingConfig } from "../train/config.ts";

type Reader = (text: string) => unknown;

async function readerOf(path: string): Promise<Reader> {
  const ending = extname(path).toLowerCase();
  if (ending === ".json") return (text) => JSON.parse(text) as unknown;
  if (ending === ".yaml" || ending === ".yml") {
    const { parse } = await import("yaml");
    return (text) => parse(text, { logLevel: "error", prettyErrors: true }) as unknown;
  }
  throw new UnnoiseError("usage", `--config ${path}: expected a file ending in .json, .yaml or .yml`);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]?.replace(/:$/, "") ?? "";
}

/**
 * Reads training options from a file: what it sets, and nothing else.
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, broken text, an unknown key (a near miss
 * is suggested) or a value out of range
 */
export async function readConfigFile(path: string): Promise<Partial<TrainingConfig>> {
  const read = await readerOf(path);
  const text = new TextDecoder().decode(await readFileBytes(path));
  let options: unknown;
  try {
    options = read(text);
  } catch (cause) {
    throw new UnnoiseError("usage", `--config ${path}: cannot be read: ${firstLine(cause)}`, { cause });
  }
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new UnnoiseError("usage", `--config ${path}: expected keys with values, got ${JSON.stringify(options)}`);
  }
  const checked = checkTrainingOptions({ data: "any", ...options }, `--config ${path}`);
  // null is a key left to its default, which may depend on others.
  const set = Object.entries(checked).filter(([key, value]) => Object.hasOwn(options, key) && value !== null);
  return Object.fromEntries(set);
}
