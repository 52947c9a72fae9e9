/**
 * What learned variances and a learned schedule do to the bound: `npm run study:variance -- [--seeds 5] [--iterations 10000] [--write]`.
 * Trains on the swiss roll with T = 50 and T = 1000 in every way, with each seed, measures the bound on fresh points, and prints the
 * table of docs/learned-variance.md; `--write` puts it there, and the figures of each run into bench/results/learned-variance.json.
 */
import { writeFileSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { toyDataset } from "../src/data/dataset.ts";
import { standardise } from "../src/data/standardise.ts";
import { variationalBound, type VariationalBound } from "../src/diffusion/bound.ts";
import type { FirstLogVariance, FixedVariance } from "../src/diffusion/variance.ts";
import { Random } from "../src/math/random.ts";
import type { TrainingConfig } from "../src/train/config.ts";
import { DenoiserSession, scheduleOf, type PointModel } from "../src/train/model.ts";
import { train } from "../src/train/train.ts";

type Options = Partial<TrainingConfig>;

/** σ² of the reverse steps, and what stands for log β̃ in the last of them. */
interface Measure {
  readonly variance: FixedVariance | "learned";
  readonly first: FirstLogVariance;
}

/** One way to train, and the variances with which its bound is measured. */
interface Way {
  readonly name: string;
  readonly options: Options;
  readonly measures: readonly Measure[];
}

const LINEAR: Options = { rescaleBetas: true };
const learnedRange: Options = { ...LINEAR, variance: "learned-range" };
const firsts = ["second", "beta"] as const;
const ways: readonly Way[] = [
  {
    name: "L_simple, fixed variance",
    options: LINEAR,
    measures: (["large", "small"] as const).flatMap((variance) => firsts.map((first) => ({ variance, first }))),
  },
  ...firsts.map((first) => ({
    name: "hybrid, learned range",
    options: { ...learnedRange, firstLogVariance: first },
    measures: [{ variance: "learned", first }] as const,
  })),
  {
    name: "hybrid, learned freely",
    options: { ...LINEAR, variance: "learned" },
    measures: [{ variance: "learned", first: "second" }],
  },
  {
    name: "bound, linear schedule",
    options: { ...LINEAR, objective: "vlb", variance: "small", firstLogVariance: "beta" },
    measures: [{ variance: "small", first: "beta" }],
  },
  {
    name: "bound, learned schedule",
    options: { schedule: "learned" },
    measures: [{ variance: "small", first: "beta" }],
  },
];
const lengths = [50, 1000] as const;
const ROWS = 1000;

/** One row of the table for one seed, in nats for a point, standardised. */
interface Measured {
  readonly way: string;
  readonly variance: string;
  readonly first: string;
  readonly timesteps: number;
  readonly seed: number;
  readonly bound: number;
  readonly standardError: number;
  /** Variance of Σ_{t>1} L_{t−1} as estimated by one point at one random t, as a training step sees it. */
  readonly estimatorVariance: number;
}

interface Job {
  readonly way: number;
  readonly timesteps: number;
  readonly seed: number;
  readonly iterations: number;
}

async function run({ way: index, timesteps, seed, iterations }: Job): Promise<Measured[]> {
  const way = ways[index];
  if (!way) throw new Error(`no way ${index}`);
  const data = toyDataset("swiss-roll", { seed });
  const model = await train(data, { ...way.options, timesteps, seed, iterations, threads: 1 });
  const measured: Measured[] = [];
  for (const measure of way.measures) {
    const bound = await boundOf(model, seed, measure);
    const { mean, standardError } = bound.total;
    const estimatorVariance = varianceOfOneStep(bound);
    measured.push({ way: way.name, ...measure, timesteps, seed, bound: mean, standardError, estimatorVariance });
  }
  return measured;
}

/** The bound on fresh points, the same for all ways of a seed. */
async function boundOf(model: PointModel, seed: number, measure: Measure): Promise<VariationalBound> {
  const fresh = toyDataset("swiss-roll", { count: ROWS, seed: seed + 1000 }).points;
  const session = new DenoiserSession(model, { threads: 1 });
  try {
    return await variationalBound({
      denoiser: session.predict,
      schedule: scheduleOf(model),
      x0: standardise(fresh, model.standardiser),
      noise: new Random(seed, "bound"),
      ...measure,
    });
  } finally {
    await session.dispose();
  }
}

/** Var[(T − 1)·L_{t−1}] over a random step t > 1 and a random row: (T − 1)·Σ_t E[L²] − (Σ_t E[L])². */
function varianceOfOneStep({ terms }: VariationalBound): number {
  const sampled = terms.filter(({ previousStep }) => previousStep >= 0);
  const second = sampled.reduce((sum, { mean, standardError, rows }) => sum + mean ** 2 + standardError ** 2 * rows, 0);
  const first = sampled.reduce((sum, { mean }) => sum + mean, 0);
  return sampled.length * second - first ** 2;
}

/** Runs jobs in two workers; each is a single thread, so that results do not depend on how many run. */
async function runAll(jobs: readonly Job[]): Promise<Measured[]> {
  const queue = [...jobs];
  const results: Measured[] = [];
  const lane = async (): Promise<void> => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      results.push(...(await inWorker(job)));
      process.stderr.write(`${results.length} measured, ${queue.length} runs to start\n`);
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

function inWorker(job: Job): Promise<Measured[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const errorOf = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / Math.max(1, values.length - 1));
const text = (values: readonly number[], digits: number): string =>
  `${mean(values).toFixed(digits)} ± ${errorOf(values).toFixed(digits)}`;

const keyOf = (timesteps: number, way: string, { variance, first }: Record<"variance" | "first", string>): string =>
  `T = ${timesteps} | ${way} | ${variance} | ${first === "beta" ? "log β" : "of t = 2"}`;

/** Rows of T, way and variance: mean over seeds ± its standard error. */
function tableOf(measured: readonly Measured[]): string {
  const groups = new Map<string, Measured[]>();
  for (const one of measured) {
    const key = keyOf(one.timesteps, one.way, one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const order = lengths.flatMap((T) =>
    ways.flatMap(({ name, measures }) => measures.map((each) => keyOf(T, name, each))),
  );
  const rows = order.flatMap((key) => {
    const found = groups.get(key);
    if (!found) return [];
    const bounds = text(
      found.map(({ bound }) => bound),
      3,
    );
    return [
      `| ${key} | ${bounds} | ${text(
        found.map(({ estimatorVariance }) => estimatorVariance),
        1,
      )} |`,
    ];
  });
  const header =
    "| | trained with | σ² | log β̃ at t = 1 | bound, nats a point | variance of its estimate by one step |\n|---|---|---|---|---|---|";
  return `${[header, ...rows].join("\n")}\n`;
}

const PAGE = new URL("../../docs/learned-variance.md", import.meta.url);
const RESULTS = new URL("../results/learned-variance.json", import.meta.url);

/** Puts the table between the marks of the page. */
function write(table: string, measured: readonly Measured[]): void {
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    page.replace(/(<!-- table -->\n)[\s\S]*?(<!-- end of table -->)/, (_, a: string, b: string) => a + table + b),
  );
  writeFileSync(RESULTS, `${JSON.stringify({ command: "npm run study:variance -- --write", measured }, null, 1)}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "5" },
      iterations: { type: "string", default: "10000" },
      write: { type: "boolean", default: false },
    },
  });
  const [seeds, iterations] = [Number(values.seeds), Number(values.iterations)];
  const jobs = Array.from({ length: seeds }, (_, seed) =>
    lengths.flatMap((timesteps) => ways.map((_way, way) => ({ way, timesteps, seed, iterations }))),
  ).flat();
  const measured = await runAll(jobs);
  const table = tableOf(measured);
  process.stdout.write(table);
  if (values.write) write(table, measured);
}

if (isMainThread) await main();
else parentPort?.postMessage(await run(workerData as Job));
