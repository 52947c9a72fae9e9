import { UnnoiseError, type ErrorCode } from "../math/error.ts";
import { shown } from "../math/shown.ts";

/** How much structure a text may hold: enough for any file that people or programs write, too little to keep a reader busy. */
export interface TextBounds {
  /** Of the whole, in UTF-8. */
  readonly bytes: number;
  /** Lists and objects within each other. */
  readonly depth: number;
  /** Keys of all objects together. */
  readonly keys: number;
  /** Values of all lists and objects together. */
  readonly values: number;
}

/** A file that describes something: a configuration, an index, results. A million betas fit. */
export const fileBounds: TextBounds = { bytes: 64e6, depth: 64, keys: 200_000, values: 5_000_000 };

/** What an error about a text says. */
export interface TextPlace {
  /** The file, and the line where it has several. */
  readonly where: string;
  readonly code: ErrorCode;
  /** What to do about a broken one. */
  readonly advice?: string | undefined;
  readonly bounds?: TextBounds | undefined;
}

const NAMES = { bytes: "bytes", depth: "levels of nesting", keys: "keys", values: "values" } as const;

/**
 * Refuses more than a text may hold.
 * @throws UnnoiseError with the place's code
 */
export function checkBounds(found: Partial<TextBounds>, { where, code, advice, bounds = fileBounds }: TextPlace): void {
  for (const bound of ["bytes", "depth", "keys", "values"] as const) {
    if ((found[bound] ?? 0) <= bounds[bound]) continue;
    const expected = `expected at most ${bounds[bound]} ${NAMES[bound]}`;
    throw new UnnoiseError(code, `${where}: ${expected}, got more${advice === undefined ? "" : `; ${advice}`}`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LIST = 0x5b;
const LIST_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/** What JSON would build from a text, counted without building it. Of other text it is some count of no more than its length. */
function structureOf(text: string): Omit<TextBounds, "bytes"> {
  let [depth, deepest, keys, values] = [0, 0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      while (++i < text.length && text.charCodeAt(i) !== QUOTE) if (text.charCodeAt(i) === BACKSLASH) i++;
    } else if (code === COMMA) values++;
    else if (code === COLON) keys++;
    else if (code === LIST || code === OBJECT) {
      values++;
      deepest = Math.max(deepest, ++depth);
    } else if (code === LIST_END || code === OBJECT_END) depth--;
  }
  return { depth: deepest, keys, values };
}

/**
 * Reads JSON of bounded size, depth and number of keys, so that whatever walks over the value ends soon and does not overflow.
 * @throws UnnoiseError with the place's code for what is not JSON, or more than the bounds
 */
export function parseJsonText(text: string, place: TextPlace): unknown {
  checkBounds({ bytes: text.length }, place);
  checkBounds(structureOf(text), place);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The engine quotes the file, line ends included.
    const reason = cause instanceof Error ? cause.message.replaceAll(/\s{1,80}/g, " ") : shown(cause);
    const advice = place.advice === undefined ? "" : `; ${place.advice}`;
    throw new UnnoiseError(place.code, `${place.where}: not JSON (${reason})${advice}`, { cause });
  }
}
