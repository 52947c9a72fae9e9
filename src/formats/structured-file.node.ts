import { extname } from "node:path";
import { UnnoiseError } from "../math/error.ts";
import { readFileBytes } from "./write-file.node.ts";

type Reader = (text: string) => unknown;

async function readerOf(path: string, where: string): Promise<Reader> {
  const ending = extname(path).toLowerCase();
  if (ending === ".json") return (text) => JSON.parse(text) as unknown;
  if (ending === ".yaml" || ending === ".yml") {
    const { parse } = await import("yaml");
    return (text) => parse(text, { logLevel: "error", prettyErrors: true }) as unknown;
  }
  throw new UnnoiseError("usage", `${where}: expected a file ending in .json, .yaml or .yml`);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]?.replace(/:$/, "") ?? "";
}

/**
 * Reads keys with values from a JSON or YAML file.
 * @param where what error messages call it
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, broken text or anything but keys with values
 */
export async function readStructuredFile(path: string, where: string = path): Promise<Record<string, unknown>> {
  const read = await readerOf(path, where);
  const text = new TextDecoder().decode(await readFileBytes(path));
  let value: unknown;
  try {
    value = read(text);
  } catch (cause) {
    throw new UnnoiseError("usage", `${where}: cannot be read: ${firstLine(cause)}`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UnnoiseError("usage", `${where}: expected keys with values, got ${JSON.stringify(value)}`);
  }
  return value as Record<string, unknown>;
}
