import type { Part } from "./options.ts";

/** One contender's outcome in one case. */
export interface Entry {
  readonly row: string;
  readonly variant: string;
  readonly threads: number | null;
  readonly status: "timed" | "absent" | "failed" | "disagrees";
  /** Why there is no time. */
  readonly reason?: string;
  readonly versions?: Readonly<Record<string, string>>;
  /** Largest relative difference of the checked values from unnoise's. */
  readonly difference?: number;
  /** Milliseconds: median of each round. */
  readonly rounds?: readonly number[];
  /** Milliseconds: median of `rounds`. */
  readonly median?: number;
  /** Steps timed in each round. */
  readonly stepsPerRound?: number;
}

export interface CaseResult {
  readonly part: Part;
  readonly title: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly entries: readonly Entry[];
}

export interface Results {
  readonly date: string;
  readonly command: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly cases: readonly CaseResult[];
}

/** Middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  return (low + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/** The entry that stands for each row: its fastest, or else the first with its reason. */
export function bestOfRows(entries: readonly Entry[]): Entry[] {
  const rows = [...new Set(entries.map(({ row }) => row))];
  return rows.map((row) => {
    const own = entries.filter((entry) => entry.row === row);
    return own.reduce((best, entry) => ((entry.median ?? Infinity) < (best.median ?? Infinity) ? entry : best));
  });
}
