/** 20000 as "20,000". */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** "1 point", "2,000 points". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A duration as "3.2 s", "41 s", "2 min 5 s", "1 h 3 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A size in bytes as "812 B", "1.4 MB". */
export function fileSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power] ?? "B"}`;
}

/** innerSteps as "--inner-steps". */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A path as a word of a command line. */
export function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** Places that a text takes on a terminal: a mark on a letter, as in β̃, takes none of its own. */
const placesOf = (text: string): number => text.replaceAll(/\p{Mark}/gu, "").length;

/** Rows of cells as lines of aligned columns: the first `left` ones to the left, the others to the right. */
export function alignedLines(rows: readonly (readonly string[])[], gap = "  ", left = 1): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(0, ...rows.map((row) => placesOf(row[i] ?? ""))));
  const pad = (cell: string, i: number): string => {
    const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - placesOf(cell)));
    return i < left ? cell + space : space + cell;
  };
  return rows.map((row) => row.map(pad).join(gap).trimEnd());
}
