import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";
import { ioError } from "./io-error.ts";
import { checkBounds, parseJsonText, type TextBounds, type TextPlace } from "./json-text.ts";
import { readFileBytes } from "./write-file.node.ts";

/**
 * Reads a whole file as text, unless it is longer than its bounds.
 * @throws UnnoiseError `io` when it cannot be read; with the place's code when it is too long
 */
export async function readBoundedText(path: string, place: TextPlace): Promise<string> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw ioError("read", path, cause);
  });
  checkBounds({ bytes: size }, place);
  return new TextDecoder().decode(await readFileBytes(path));
}

/**
 * Reads JSON of bounded size from a file.
 * @throws UnnoiseError `io` when it cannot be read; with the place's code for what is not JSON, or more than the bounds
 */
export async function readJsonFile(path: string, place: TextPlace): Promise<unknown> {
  return parseJsonText(await readBoundedText(path, place), place);
}

/** YAML's parser compares each key of an object with all others, and takes far longer than JSON's for each value. */
const yamlBounds: TextBounds = { bytes: 2e6, depth: 32, keys: 5_000, values: 100_000 };
/** Tokens of one value in a list: its dash or comma, blanks, the value and the end of the line. */
const TOKENS = 4;
/** Blanks by which people indent a block. */
const INDENT = 2;

/** Reads YAML whose tokens were counted before anything is built from them; what aliases repeat is bounded by the parser. */
async function parseYaml(text: string, place: TextPlace): Promise<unknown> {
  const bounded = { advice: "write it as JSON", ...place, bounds: yamlBounds };
  checkBounds({ bytes: text.length }, bounded);
  const { Lexer, parse } = await import("yaml");
  let [keys, tokens, depth, nested, column] = [0, 0, 0, 0, 0];
  let isFirst = true;
  for (const token of new Lexer().lex(text)) {
    tokens++;
    // Tags and brackets cost as much as keys where they are wrong.
    if (/^[:[\]{}!]/.test(token)) keys++;
    if (token === "[" || token === "{") depth = Math.max(depth, ++nested);
    else if (token === "]" || token === "}") nested--;
    const isBlank = /^\s*$/.test(token);
    // Each block within another is indented further. The parser would overflow the stack, where V8 ends the process at times.
    if (token === "-" || token === "?" || (isFirst && !isBlank)) depth = Math.max(depth, Math.floor(column / INDENT));
    isFirst = isBlank && (isFirst || token.includes("\n"));
    column = token.includes("\n") ? token.length - 1 - token.lastIndexOf("\n") : column + token.length;
    if (tokens % 1000 === 0) checkBounds({ keys, depth, values: tokens / TOKENS }, bounded);
  }
  checkBounds({ keys, depth, values: tokens / TOKENS }, bounded);
  try {
    return parse(text, { logLevel: "error", prettyErrors: true, maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    const reason = cause instanceof RangeError ? "nested too deeply" : firstLine(cause);
    throw new UnnoiseError(place.code, `${place.where}: cannot be read: ${reason}`, { cause });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]?.replace(/:$/, "") ?? "";
}

/**
 * Reads keys with values from a JSON or YAML file of bounded size.
 * @param where what error messages call it
 * @throws UnnoiseError `io` when it cannot be read, `usage` for another kind of file, broken text, more than the bounds or anything
 * but keys with values
 */
export async function readStructuredFile(path: string, where: string = path): Promise<Record<string, unknown>> {
  const ending = extname(path).toLowerCase();
  const isYaml = ending === ".yaml" || ending === ".yml";
  if (!isYaml && ending !== ".json") {
    throw new UnnoiseError("usage", `${where}: expected a file ending in .json, .yaml or .yml`);
  }
  const place = { where, code: "usage" } as const;
  const text = await readBoundedText(path, place);
  const value = isYaml ? await parseYaml(text, place) : parseJsonText(text, place);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UnnoiseError("usage", `${where}: expected keys with values, got ${shown(value)}`);
  }
  return value as Record<string, unknown>;
}
