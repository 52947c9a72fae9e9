import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";

/** Which numbers a flag takes. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Smallest number that is just too small. */
  readonly above?: number;
  /** Smallest number that is too large. */
  readonly below?: number;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function describe({ min, max, above, below }: Range): string {
  if (min !== undefined && max !== undefined) return ` in ${min}…${max}`;
  const bounds = { "≥": min, ">": above, "≤": max, "<": below };
  const parts = Object.entries(bounds).filter(([, bound]) => bound !== undefined);
  return parts.length === 0 ? "" : ` ${parts.map(([sign, bound]) => `${sign} ${String(bound)}`).join(" and ")}`;
}

function within(value: number, { min, max, above, below }: Range): boolean {
  return (
    value >= (min ?? -Infinity) &&
    value <= (max ?? Infinity) &&
    value > (above ?? -Infinity) &&
    value < (below ?? Infinity)
  );
}

function parser(flag: string, noun: string, range: Range, accept: (value: number) => boolean) {
  return (text: string): number => {
    const value = NUMBER.test(text.trim()) ? Number(text) : Number.NaN;
    if (accept(value) && within(value, range)) return value;
    const got = text.trim() === "" ? '""' : text;
    throw new UnnoiseError("usage", `${flag}: expected ${noun}${describe(range)}, got ${got}`);
  };
}

/** Reads a flag's value. Throws UnnoiseError `usage` that names the flag, what it expects and what it got. */
export type FlagParser<T> = (text: string) => T;

/** A parser of integers, strict: neither "12px" nor "1.5". */
export function integer(flag: string, range: Range): FlagParser<number> {
  return parser(flag, "an integer", range, Number.isSafeInteger);
}

/** A parser of finite numbers, strict. */
export function decimal(flag: string, range: Range): FlagParser<number> {
  return parser(flag, "a number", range, Number.isFinite);
}

/** A parser of one of several words. */
export function choice<T extends string>(flag: string, words: readonly T[]): FlagParser<T> {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new UnnoiseError("usage", `${flag}: expected one of ${words.join(", ")}, got ${text === "" ? '""' : text}`);
  };
}

/** A parser of words with commas between, none of them empty. */
export function list(flag: string): FlagParser<string[]> {
  return (text) => {
    const found = text.split(",").map((word) => word.trim());
    if (found.every((word) => word !== "")) return found;
    throw new UnnoiseError("usage", `${flag}: expected words with commas between, got ${shown(text)}`);
  };
}
