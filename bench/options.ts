import { parseArgs } from "node:util";

export type Part = "train" | "sample" | "cold";
const parts: readonly Part[] = ["train", "sample", "cold"];

export interface Options {
  readonly only: readonly Part[];
  readonly rounds: number;
  /** Milliseconds that a contender runs in one round. */
  readonly budget: number;
  readonly quick: boolean;
  /** Print JSON instead of the table. */
  readonly json: boolean;
  /** Only cases of this batch size; null is all. */
  readonly batch: number | null;
  /** Threads of unnoise; null is its own choice. */
  readonly threads: number | null;
}

export const usage = `npm run bench -- [options]
  --only train|sample|cold   one part; may be repeated
  --batch N                  only cases of this batch size; writes no file
  --quick                    fewer and shorter rounds; writes no file
  --threads N                threads of unnoise instead of its own choice; writes no file
  --json                     print the results as JSON
UNNOISE_BENCH_PYTHON names the Python that has torch (default: python3).
A full run writes bench/results/<date>.json and the tables of docs/benchmarks.md.`;

/** Whether all is measured as it is published. */
export function isFull({ only, quick, batch, threads }: Options): boolean {
  return only.length === parts.length && !quick && batch === null && threads === null;
}

/** Reads the command line. */
export function readOptions(): Options | "help" {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      batch: { type: "string" },
      threads: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const { quick, json } = values;
  return {
    only: readParts(values.only),
    quick,
    json,
    batch: readCount("--batch", values.batch),
    threads: readCount("--threads", values.threads),
    rounds: quick ? 3 : 9,
    budget: quick ? 150 : 400,
  };
}

function readParts(only: readonly string[] | undefined): readonly Part[] {
  if (only === undefined) return parts;
  return only.map((name) => {
    const part = parts.find((known) => known === name);
    if (!part) throw new Error(`--only: expected one of ${parts.join(", ")}, got ${name}`);
    return part;
  });
}

function readCount(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`${name}: expected an integer ≥ 1, got ${text}`);
  return count;
}
