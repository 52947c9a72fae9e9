/** U-Nets against diffusers on PyTorch: a sampling step, and a training step's forward and backward, in turns, with peak memory. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Contender } from "./contenders.ts";
import { PeerProcess } from "./peer-process.ts";
import { progress } from "./race.ts";
import { median } from "./results.ts";
import { networks, writeUNetProblem, type UNetProblem } from "./unet-problem.ts";
import { insertTables } from "./report.ts";
import { unetMarkdown, type UNetCase, type UNetCaseResult, type UNetOutcome, type UNetResults } from "./unet-report.ts";
import { libraryVersions, machine, repository } from "./versions.ts";

const usage = `npm run bench:unet -- [options]
  --network NAME   only this one of ${Object.keys(networks).join(", ")}; writes no file
  --kind KIND      only sample or train; writes no file
  --rounds N       rounds of each case (default 7)
UNNOISE_BENCH_PYTHON names the Python that has torch and diffusers (default: python3).
A run of everything writes bench/results/unet.json and its table in docs/benchmarks.md.`;

/** Largest difference between the contenders' values, over the largest value. */
const TOLERANCE = 2e-4;
/** Milliseconds between two contenders, so that the threads of the one sleep before the other starts. */
const PAUSE = 100;
/** Milliseconds that a contender runs in one round, at least one step. */
const BUDGET = 500;

const threads = availableParallelism();
const contenders: readonly Contender[] = [
  ["unnoise", process.execPath, join(repository, "bench", "dist", "unet-peer.js")],
  [
    "diffusers",
    process.env["UNNOISE_BENCH_PYTHON"] ?? "python3",
    join(repository, "bench", "peers", "diffusers_peer.py"),
  ],
].map(([row = "", ...command]) => ({ row, variant: "eager", threads, command, cold: null }));

class Racer {
  readonly peer: PeerProcess;
  readonly rounds: number[] = [];
  values: readonly number[] = [];
  versions: Readonly<Record<string, string>> = {};
  #steps = 1;
  #peak = NaN;

  constructor(contender: Contender) {
    this.peer = new PeerProcess(contender);
  }

  async prepare(problem: UNetProblem): Promise<void> {
    this.versions = (await this.peer.setup(problem)).versions;
    this.values = (await this.peer.check()).values;
    const { times } = await this.peer.run(1);
    this.#steps = Math.max(1, Math.round(BUDGET / median(times)));
  }

  async round(): Promise<void> {
    await sleep(PAUSE);
    const { times, peak = NaN } = await this.peer.run(this.#steps);
    this.#peak = peak;
    this.rounds.push(median(times));
  }

  outcome(): UNetOutcome {
    return { rounds: this.rounds, median: median(this.rounds), peak: this.#peak };
  }
}

/** Times both contenders on one problem, in turns, after checking that they compute the same. */
async function race(
  problem: UNetProblem,
  one: UNetCase,
  rounds: number,
  versions: Record<string, string>,
): Promise<UNetCaseResult> {
  const racers = contenders.map((contender) => new Racer(contender));
  const [unnoise, diffusers] = racers as [Racer, Racer];
  try {
    for (const racer of racers) {
      await racer.prepare(problem);
      Object.assign(versions, racer.versions);
    }
    const difference = relative(unnoise.values, diffusers.values);
    if (!(difference <= TOLERANCE)) throw new Error(`unnoise and diffusers differ by ${difference.toExponential(1)}`);
    for (let round = 0; round < rounds; round++) {
      for (const racer of round % 2 === 0 ? racers : [...racers].reverse()) await racer.round();
    }
    const [ours, theirs] = [unnoise.outcome(), diffusers.outcome()];
    const ratios = ours.rounds.map((time, i) => (theirs.rounds[i] ?? NaN) / time);
    return {
      ...one,
      difference,
      unnoise: ours,
      diffusers: theirs,
      speed: median(ratios),
      memory: ours.peak / theirs.peak,
    };
  } finally {
    await Promise.all(racers.map(({ peer }) => peer.close()));
  }
}

function relative(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return NaN;
  const scale = b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? NaN))), 0) / scale;
}

function line({ network, kind, batchSize, unnoise, diffusers, speed, memory }: UNetCaseResult): string {
  const times = `${unnoise.median.toPrecision(3)} ms against ${diffusers.median.toPrecision(3)} ms`;
  const sizes = `${Math.round(unnoise.peak)} MiB against ${Math.round(diffusers.peak)} MiB`;
  const ratios = `speed ×${speed.toFixed(2)}, memory ×${memory.toFixed(2)}`;
  return `${network}, ${kind}, batch ${batchSize}: ${times}, ${sizes}; ${ratios}`;
}

const { values } = parseArgs({
  options: {
    network: { type: "string" },
    kind: { type: "string" },
    rounds: { type: "string", default: "7" },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "unnoise-bench-"));
  const rounds = Number(values.rounds);
  const versions: Record<string, string> = libraryVersions();
  const all = Object.keys(networks).flatMap((network): UNetCase[] => [
    { network, kind: "sample", batchSize: 1 },
    { network, kind: "sample", batchSize: 16 },
    { network, kind: "train", batchSize: network === "fashion" ? 32 : 16 },
  ]);
  const chosen = all.filter(
    ({ network, kind }) => (values.network ?? network) === network && (values.kind ?? kind) === kind,
  );
  const cases: UNetCaseResult[] = [];
  try {
    for (const one of chosen) {
      cases.push(await race(writeUNetProblem(folder, one), one, rounds, versions));
      progress(cases.slice(-1).map(line).join());
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const date = new Date().toISOString().slice(0, 10);
  const results: UNetResults = {
    date,
    command: "npm run bench:unet",
    machine: machine(),
    versions,
    threads,
    rounds,
    cases,
  };
  const text = `${JSON.stringify(results, null, 2)}\n`;
  console.log(text);
  if (chosen.length < all.length) return;
  mkdirSync(join(repository, "bench", "results"), { recursive: true });
  writeFileSync(join(repository, "bench", "results", "unet.json"), text);
  const page = join(repository, "docs", "benchmarks.md");
  writeFileSync(page, insertTables(readFileSync(page, "utf8"), "unet", unetMarkdown(results)));
}

if (values.help) console.log(usage);
else await main();
