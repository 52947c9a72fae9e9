import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { shown } from "../math/shown.ts";

/** Words for a column that no shell and no list with commas changes. */
const PLAIN = /^[\w.:@%+-]+$/;
const NUMBERED = /^column(\d+)$/;

/** What `--drop` calls a column by: its name, or its number where the name is no plain word or not its own. */
export function dropWord(index: number, columns: readonly { readonly name: string }[]): string {
  const name = columns[index]?.name ?? "";
  const isOwn = columns.filter((column) => column.name === name).length === 1;
  return isOwn && PLAIN.test(name) && !name.startsWith("-") ? name : `column${index + 1}`;
}

function indexOf(word: string, names: readonly string[], where: string): number {
  const named = names.flatMap((name, index) => (name === word ? [index] : []));
  if (named.length > 1) {
    const which = named.map((index) => `column${index + 1}`).join(", ");
    throw new UnnoiseError(
      "usage",
      `${where}: drop: ${shown(word)} is the name of several columns; say which: ${which}`,
    );
  }
  const [found] = named;
  if (found !== undefined) return found;
  const number = Number(NUMBERED.exec(word)?.[1] ?? NaN);
  if (number >= 1 && number <= names.length) return number - 1;
  const near = nearMiss(word, names);
  const known = names.slice(0, 12).map((name) => shown(name));
  const more = names.length > known.length ? `, and ${names.length - known.length} more` : "";
  const advice = near === undefined ? `it has ${known.join(", ")}${more}` : `did you mean ${shown(near)}?`;
  throw new UnnoiseError("usage", `${where}: drop: no column ${shown(word)}; ${advice}`);
}

/**
 * Which columns stay where some are dropped.
 * @param names of all columns
 * @param drop names, or `column1`, `column2`, … by number
 * @param where what messages call the data
 * @returns indices of the columns that stay, ascending
 * @throws UnnoiseError `usage` for a column that is not there or named twice, or where none would stay
 */
export function keptColumns(names: readonly string[], drop: readonly string[], where: string): number[] {
  const out = new Set(drop.map((word) => indexOf(word, names, where)));
  const kept = names.flatMap((_, index) => (out.has(index) ? [] : [index]));
  if (kept.length > 0) return kept;
  throw new UnnoiseError("usage", `${where}: drop: expected at least one column to stay, got all ${names.length}`);
}

/** The error where columns are dropped of what has no choice of them: a toy set, or a density that is drawn from. */
export function noColumnsToDrop(name: string): UnnoiseError {
  return new UnnoiseError(
    "usage",
    `drop: only a file of points has columns to leave out, not ${shown(name)}; leave it out`,
  );
}
