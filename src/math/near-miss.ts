import { distance } from "fastest-levenshtein";

/** Characters of a key that may be a slip of the pen. */
const LONGEST = 100;

/** The key of `known` nearest to a mistyped `key`, when it is near enough to be meant. */
export function nearMiss(key: string, known: readonly string[]): string | undefined {
  // A key of pages is no slip of the pen, and the distance takes the product of both lengths.
  if (key.length > LONGEST) return undefined;
  const ranked = known.map((name) => ({ name, edits: distance(key.toLowerCase(), name.toLowerCase()) }));
  const [best] = ranked.sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, key.length / 3) ? best.name : undefined;
}
