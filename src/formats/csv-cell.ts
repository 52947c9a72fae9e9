/** What one cell of a text table holds. */
export type Cell =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "gap" }
  | { readonly kind: "not finite" }
  | { readonly kind: "text" };

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;
const GAP = /^(?:n\/?a|null|none|-|\?)?$/i;

/** Sorts a cell into number, gap (empty or a usual word for it), NaN or infinity, and any other text. */
export function readCell(text: string): Cell {
  const cell = text.trim();
  if (NUMBER.test(cell)) {
    const value = Number(cell);
    return Number.isFinite(value) ? { kind: "number", value } : { kind: "not finite" };
  }
  if (NOT_FINITE.test(cell)) return { kind: "not finite" };
  return { kind: GAP.test(cell) ? "gap" : "text" };
}

/**
 * What is wrong with a cell that is not a finite number, and what to do about it.
 * @param drop what its column is called where it can be left out
 */
export function faultOf(cell: string, kind: Exclude<Cell["kind"], "number">, drop?: string): string {
  const shown = JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
  if (kind === "gap") {
    const found = cell === "" ? "an empty cell" : `a gap (${shown})`;
    return `expected a number, got ${found}; fill it in or remove the row`;
  }
  if (kind === "not finite") return `expected a finite number, got ${shown}; replace it or remove the row`;
  if (/^[+-]?\d+,\d+$/.test(cell)) return `expected a number, got ${shown}; write decimals with a point`;
  const advice = drop === undefined ? "remove this column" : `leave the column out with drop (--drop ${drop})`;
  return `expected a number, got ${shown}; ${advice} or turn it into numbers`;
}
