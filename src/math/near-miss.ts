import { distance } from "fastest-levenshtein";

/** The key of `known` nearest to a mistyped `key`, when it is near enough to be meant. */
export function nearMiss(key: string, known: readonly string[]): string | undefined {
  const ranked = known.map((name) => ({ name, edits: distance(key.toLowerCase(), name.toLowerCase()) }));
  const [best] = ranked.sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, key.length / 3) ? best.name : undefined;
}
