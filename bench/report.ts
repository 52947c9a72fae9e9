import { bestOfRows, type CaseResult, type Entry, type Results } from "./results.ts";

/** The results as Markdown: one table a part, rows are libraries, each cell the median and its ratio to unnoise. */
export function toMarkdown(results: Results): string {
  const { date, command, machine, versions, rounds } = results;
  const about = [
    `Measured ${date} by \`${command}\`: medians of ${rounds} rounds in turns.`,
    `Machine: ${Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}.`,
    `Versions: ${Object.entries(versions)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}.`,
  ].join("\n");
  const tables = (["train", "sample", "cold"] as const).flatMap((part) => {
    const cases = results.cases.filter((one) => one.part === part);
    return cases.length === 0 ? [] : [`### ${headings[part]}\n\n${table(cases)}`];
  });
  return [about, ...tables, notes(results.cases)].filter((text) => text !== "").join("\n\n");
}

const headings = {
  train: "Training step (milliseconds; × is the time over unnoise's)",
  sample: "Sampling step (milliseconds; × is the time over unnoise's)",
  cold: "Cold start to first file (milliseconds; × is the time over unnoise's)",
} as const;

function table(cases: readonly CaseResult[]): string {
  const best = cases.map(({ entries }) => bestOfRows(entries));
  const rows = [...new Set(best.flatMap((entries) => entries.map(({ row }) => row)))];
  const lines = rows.map((row) => {
    const cells = best.map((entries) =>
      cell(
        entries.find((one) => one.row === row),
        own(entries),
      ),
    );
    return `| ${[row, ...cells].join(" | ")} |`;
  });
  const head = `| | ${cases.map(({ title }) => title).join(" | ")} |`;
  return [head, `|---|${"---:|".repeat(cases.length)}`, ...lines].join("\n");
}

const own = (entries: readonly Entry[]): number | undefined => entries.find(({ row }) => row === "unnoise")?.median;

function cell(entry: Entry | undefined, unnoise: number | undefined): string {
  if (entry?.median === undefined) return entry?.status ?? "–";
  const time = entry.median >= 100 ? entry.median.toFixed(0) : entry.median.toPrecision(3);
  const threads = entry.threads === null ? "" : `, ${entry.threads} thr.`;
  const ratio = entry.row === "unnoise" || unnoise === undefined ? "" : ` (${(entry.median / unnoise).toFixed(2)}×)`;
  return `${time}${ratio}${threads}`;
}

/** Why something has no time, each reason once. */
function notes(cases: readonly CaseResult[]): string {
  const lines = cases.flatMap(({ title, entries }) =>
    entries
      .filter(({ status }) => status !== "timed")
      .map(({ row, variant, status, reason }) => {
        const where = status === "absent" ? row : `${row} ${variant} (${title})`;
        return `- ${where}: ${status}; ${reason ?? ""}`;
      }),
  );
  return [...new Set(lines)].join("\n");
}

/** Replaces what lies between the markers of a part of docs/benchmarks.md. */
export function insertTables(page: string, part: "bench" | "unet", markdown: string): string {
  const [first, last] = [`<!-- ${part}:begin -->`, `<!-- ${part}:end -->`];
  const [begin, end] = [page.indexOf(first), page.indexOf(last)];
  if (begin === -1 || end < begin) throw new Error(`docs/benchmarks.md: expected the markers ${first} and ${last}`);
  return `${page.slice(0, begin + first.length)}\n\n${markdown}\n\n${page.slice(end)}`;
}
