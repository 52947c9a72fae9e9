import { quantile } from "../../math/quantile.ts";
import { grouped } from "../../math/text.ts";

/** One run of the study of samplers, as its results.json holds it. */
export interface BenchmarkRun {
  readonly data: string;
  /** Of the sampler and its steps: "DDPM, 1000 steps". */
  readonly setting: string;
  readonly seed: number;
  /** In nats for a point, standardised; null where there is none. */
  readonly bound: number | null;
  /** Empty where the run failed. */
  readonly metrics: { readonly w2?: { readonly value: number; readonly floor: number } };
}

/** What stands on the page besides the runs. */
export interface BenchmarkPageOptions {
  /** What makes it again. */
  readonly command: string;
  /** Points in each set whose distance is measured. */
  readonly points: number;
}

/** What must be reached: median W2 over median floor. */
const targets = [
  { setting: "DDPM, 1000 steps", name: "DDPM-1000", most: 1.2 },
  { setting: "DDIM, η = 0, 20 steps", name: "DDIM-20", most: 1.5 },
  { setting: "cosine schedule: DDPM, 1000 steps", name: "with the cosine schedule DDPM-1000", most: 1.2 },
  { setting: "cosine schedule: DDIM, η = 0, 20 steps", name: "DDIM-20", most: 1.5 },
] as const;

/** The benchmark on points in the plane as Markdown: every data set, sampler and number of steps, over all seeds. */
export function benchmarkPage(runs: readonly BenchmarkRun[], { command, points }: BenchmarkPageOptions): string {
  const names = [...new Set(runs.map(({ data }) => data))];
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  return `# Benchmark on points in the plane

Data set × sampler × number of steps: W2 between ${grouped(points)} samples and as many fresh points of the data, in standardised units, and the
variational bound on −log p of fresh data in nats for a point. Each figure is the median over ${seeds} seeds, with the quartiles in brackets;
each seed has its own data, training and noise, while the floors of neighbouring seeds share some of their draws. The floor is the W2 of fresh data against fresh data; the ratio is that of the medians. It
depends on the number of points: the floor falls with more of them, what is wrong with samples does not, so few points flatter. All
samplers of a seed use one model: the default network and training, linear schedule, T = 1000; rows that name the cosine schedule use another,
trained in the same way with that schedule, and their DDIM takes leading steps. Only ancestral sampling (DDPM) has a bound.

    ${command}

${names.map((data) => verdictLines(data, runs)).join("\n")}

${names.map((data) => dataSection(data, runs)).join("\n\n")}
`;
}

function verdictLines(data: string, runs: readonly BenchmarkRun[]): string {
  const tried = targets.filter(({ setting }) => runs.some((run) => run.setting === setting));
  const words = tried.map(({ setting, name, most }) => {
    const ratio = ratioOf(runs.filter((run) => run.data === data && run.setting === setting));
    if (ratio === undefined) return `${name} not measured`;
    return `${name} ${ratio.toFixed(2)} × floor, asked at most ${most}: ${ratio <= most ? "met" : "missed"}`;
  });
  return `- **${data}**: ${words.join("; ")}.`;
}

const w2Of = (runs: readonly BenchmarkRun[], key: "value" | "floor"): number[] =>
  runs.flatMap(({ metrics }) => metrics.w2?.[key] ?? []);

/** Median W2 over median floor. */
function ratioOf(runs: readonly BenchmarkRun[]): number | undefined {
  const [values, floors] = [w2Of(runs, "value"), w2Of(runs, "floor")];
  return values.length === 0 ? undefined : quantile(values, 0.5) / quantile(floors, 0.5);
}

function dataSection(data: string, runs: readonly BenchmarkRun[]): string {
  const own = runs.filter((run) => run.data === data);
  const floors = w2Of(
    [...new Map(own.filter(({ metrics }) => metrics.w2).map((run) => [run.seed, run])).values()],
    "floor",
  );
  const rows = [...new Set(own.map(({ setting }) => setting))].map((setting) => {
    const here = own.filter((run) => run.setting === setting);
    const comma = setting.lastIndexOf(", ");
    const steps = setting.slice(comma + 2).replace(/ steps?$/, "");
    const bounds = here.flatMap(({ bound }) => bound ?? []);
    const cells = [
      setting.slice(0, comma),
      steps,
      spread(w2Of(here, "value")),
      ratioOf(here)?.toFixed(2) ?? "failed",
      spread(bounds),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `## ${data}`,
    "",
    floors.length === 0 ? "No run gave a result." : `Floor: ${spread(floors)}.`,
    "",
    "| sampler | steps | W2 | W2/floor | bound |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** "0.104 [0.098, 0.11]" */
function spread(values: readonly number[]): string {
  if (values.length === 0) return "–";
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => Number(quantile(values, share).toPrecision(3)));
  return `${middle ?? ""} [${low ?? ""}, ${high ?? ""}]`;
}
