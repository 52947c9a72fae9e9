import { setTimeout as sleep } from "node:timers/promises";
import type { Contender, Field } from "./contenders.ts";
import type { Options } from "./options.ts";
import { PeerProcess } from "./peer-process.ts";
import type { Problem, Ready } from "./protocol.ts";
import { median, type Entry } from "./results.ts";

/** Largest relative difference between a contender's checked values and unnoise's. */
const TOLERANCE = 1e-4;
/** Milliseconds between two contenders, so that the threads of the one sleep before the other starts. */
const PAUSE = 100;
const MAX_STEPS = 4000;

interface Racer {
  readonly peer: PeerProcess;
  readonly ready: Ready;
  readonly difference: number;
  readonly stepsPerRound: number;
  readonly rounds: number[];
}

/** Times all contenders on one problem, in turns, after checking that they compute the same. */
export async function race(problem: Problem, field: Field, options: Options): Promise<Entry[]> {
  const entries: Entry[] = [];
  const racers: Racer[] = [];
  let reference: readonly number[] | undefined;
  try {
    for (const contender of field.contenders) {
      const peer = new PeerProcess(contender);
      const outcome = await prepare(peer, problem, reference, options).catch((error: unknown) =>
        without(contender, "failed", error instanceof Error ? error.message : String(error)),
      );
      if ("status" in outcome) {
        entries.push(outcome);
        await peer.close();
        if (!reference) break;
      } else {
        racers.push(outcome.racer);
        reference ??= outcome.values;
      }
      const threads = contender.threads === null ? "" : `, threads ${contender.threads}`;
      progress(
        `${contender.row} (${contender.variant}${threads}): ${"status" in outcome ? (outcome.reason ?? "") : "ready"}`,
      );
    }
    await takeTurns(racers, options.rounds);
  } finally {
    await Promise.all(racers.map(({ peer }) => peer.close()));
  }
  const absent = field.absent.map(({ row, reason }): Entry => {
    return { row, variant: "", threads: null, status: "absent", reason };
  });
  return [...racers.map(toEntry), ...entries, ...absent];
}

/** Sets a contender up, compares its values with the reference, warms it up and finds how many steps fill a round. */
async function prepare(
  peer: PeerProcess,
  problem: Problem,
  reference: readonly number[] | undefined,
  { budget }: Options,
): Promise<Entry | { readonly racer: Racer; readonly values: readonly number[] }> {
  const ready = await peer.setup(problem);
  const { values } = await peer.check();
  const difference = differences[problem.kind](values, reference ?? values);
  if (!(difference <= TOLERANCE)) {
    const reason = `differs from unnoise by ${difference.toExponential(1)} (allowed ${TOLERANCE.toExponential(0)})`;
    return { ...without(peer.contender, "disagrees", reason), versions: ready.versions, difference };
  }
  const first = median((await peer.run(2)).times);
  const warm = median((await peer.run(stepsIn(budget, first))).times);
  const stepsPerRound = stepsIn(budget, warm);
  return { racer: { peer, ready, difference, stepsPerRound, rounds: [] }, values };
}

function stepsIn(budget: number, milliseconds: number): number {
  return Math.max(1, Math.min(MAX_STEPS, Math.round(budget / milliseconds)));
}

type Difference = (a: readonly number[], b: readonly number[]) => number;

/** Losses and norms are compared one by one; of points, which may be near 0, the whole. NaN where anything is NaN. */
const differences: Readonly<Record<Problem["kind"], Difference>> = {
  train: (a, b) => Math.max(relative(a, b), ...b.map((value, i) => relative([a[i] ?? NaN], [value]))),
  sample: relative,
};

/** Maximum norm of a − b over the maximum norm of b. */
function relative(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return NaN;
  const scale = b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? NaN))), 0) / scale;
}

async function takeTurns(racers: readonly Racer[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < racers.length; turn++) {
      const racer = racers[(turn + round) % racers.length];
      if (!racer) continue;
      await sleep(PAUSE);
      racer.rounds.push(median((await racer.peer.run(racer.stepsPerRound)).times));
    }
  }
}

function toEntry({ peer, ready, difference, stepsPerRound, rounds }: Racer): Entry {
  const { row, variant } = peer.contender;
  const { versions, threads } = ready;
  return {
    row,
    variant,
    threads,
    status: "timed",
    versions,
    difference,
    stepsPerRound,
    rounds,
    median: median(rounds),
  };
}

function without({ row, variant, threads }: Contender, status: "failed" | "disagrees", reason: string): Entry {
  return { row, variant, threads, status, reason };
}

/** One line about what goes on, on stderr. */
export function progress(line: string): void {
  console.error(`  ${line}`);
}
