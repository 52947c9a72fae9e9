/** The character between two cells; a space stands for any run of spaces and tabs. */
export type Delimiter = "," | ";" | "\t" | " ";

const QUOTED = /"(?:[^"]|"")*"/g;
const SAMPLE_LENGTH = 65_536;

/** The first two lines that are neither blank nor comments, trimmed, with quoted text emptied. */
function sampleLines(text: string): readonly string[] {
  const lines = text
    .slice(0, SAMPLE_LENGTH)
    .replaceAll(QUOTED, '""')
    .split(/[\r\n]+/);
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .slice(0, 2);
}

/**
 * Finds the delimiter of a text table from its first two lines: a tab, else a semicolon, else a comma, wherever one
 * occurs outside quotes; else white space, if the last of the two lines has any inside; else the table has one column.
 */
export function findDelimiter(text: string): Delimiter {
  const lines = sampleLines(text);
  const found = (["\t", ";", ","] as const).find((delimiter) => lines.some((line) => line.includes(delimiter)));
  if (found !== undefined) return found;
  return /\s/.test(lines.at(-1) ?? "") ? " " : ",";
}

/** Makes each run of spaces and tabs outside quotes one space, and none at the ends of lines. */
export function squeezeSpaces(text: string): string {
  return text
    .replaceAll(/("(?:[^"]|"")*")|[ \t]+/g, (_, quoted: string | undefined) => quoted ?? " ")
    .replaceAll(/^ | $/gm, "");
}
