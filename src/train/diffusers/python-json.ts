import { parseJsonText } from "../../formats/json-text.ts";

/** Text in quotes, or what Python's json module writes for infinite numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b/g;
/** JSON's own way to say a number beyond float64. */
const BEYOND = "1e999";

/**
 * Reads JSON as Python's json module writes it: with `Infinity` and `-Infinity`, which JSON does not have.
 * @param where names the file in errors
 * @throws UnnoiseError `format` for anything else, or more than a file may hold
 */
export function parsePythonJson(text: string, where: string): unknown {
  const plain = text.includes("Infinity")
    ? text.replace(TOKENS, (token) => (token.startsWith('"') ? token : token.replace("Infinity", BEYOND)))
    : text;
  return parseJsonText(plain, { where, code: "format", advice: "fetch or write the file again" });
}

/** The text of a JSON file, indented for people; infinite numbers as Python's json module reads them. */
export function pythonJsonText(value: unknown): string {
  const mark = unusedMark(JSON.stringify(value));
  const marked = (_key: string, inner: unknown): unknown =>
    inner === Infinity || inner === -Infinity ? `${mark}${inner}` : inner;
  const text = JSON.stringify(value, marked, 2);
  return `${text.replaceAll(new RegExp(`"${mark}(-?Infinity)"`, "g"), "$1")}\n`;
}

/** Letters that do not occur in a text. */
function unusedMark(text: string): string {
  let mark = "infinite ";
  while (text.includes(mark)) mark += "x";
  return mark;
}
