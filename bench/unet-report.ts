import type { UNetProblem } from "./unet-problem.ts";

export interface UNetCase {
  readonly network: string;
  readonly kind: UNetProblem["kind"];
  readonly batchSize: number;
}

export interface UNetOutcome {
  /** Milliseconds of a step: median of each round. */
  readonly rounds: readonly number[];
  readonly median: number;
  /** Largest resident memory of the process, loading included, in MiB. */
  readonly peak: number;
}

export interface UNetCaseResult extends UNetCase {
  readonly difference: number;
  readonly unnoise: UNetOutcome;
  readonly diffusers: UNetOutcome;
  /** diffusers' time over unnoise's: median of the rounds' ratios. */
  readonly speed: number;
  /** unnoise's peak memory over diffusers'. */
  readonly memory: number;
}

export interface UNetResults {
  readonly date: string;
  readonly command: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly rounds: number;
  readonly cases: readonly UNetCaseResult[];
}

/** The results as a Markdown table. */
export function unetMarkdown({ date, command, machine, versions, threads, rounds, cases }: UNetResults): string {
  const listed = (facts: Readonly<Record<string, string | number>>): string =>
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  const time = (ms: number): string => (ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));
  const rows = cases.map(({ network, kind, batchSize, unnoise, diffusers, speed, memory }) => {
    const step = `${kind === "train" ? "forward and backward" : "sampling step"}, batch ${batchSize}`;
    const times = [time(unnoise.median), time(diffusers.median), `${speed.toFixed(2)}×`];
    const sizes = [unnoise.peak.toFixed(0), diffusers.peak.toFixed(0), `${memory.toFixed(2)}×`];
    return `| ${[network, step, ...times, ...sizes].join(" | ")} |`;
  });
  return [
    `Measured ${date} by \`${command}\`: medians of ${rounds} rounds in turns, ${threads} threads; "as fast" is the median of the rounds' ratios.`,
    `Machine: ${listed(machine)}.`,
    `Versions: ${listed(versions)}.`,
    "",
    "| network | step | unnoise, ms | diffusers, ms | as fast | unnoise, MiB | diffusers, MiB | memory |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
    ...rows,
  ].join("\n");
}
