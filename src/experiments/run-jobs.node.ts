import type { JobCache } from "./cache.node.ts";
import { checkGoingOn } from "./going-on.ts";
import { withNeeds, type DoneJob, type Job, type JobFailure, type Results } from "./job.ts";
import { jobKey } from "./job-key.node.ts";
import type { Lane } from "./lanes.node.ts";

/** How far the jobs of a study have come, in seconds of estimated work. */
export interface JobsProgress {
  readonly done: number;
  readonly total: number;
  /** Labels of the jobs at work. */
  readonly running: readonly string[];
}

export interface RunJobsOptions {
  readonly cache: JobCache;
  /** Each does one job at a time; they are not closed. */
  readonly lanes: readonly Lane[];
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: JobsProgress) => void;
  readonly onFailure?: (failure: JobFailure) => void;
}

/**
 * Does all jobs and those that they need, each once: what the cache holds is not repeated, a job that fails takes only those with it that
 * need it.
 * @throws UnnoiseError `interrupted` after `signal`, when the jobs at work have stopped; what was finished is kept
 */
export async function runJobs(jobs: readonly Job[], options: RunJobsOptions): Promise<Results> {
  const line = new JobLine(distinct(withNeeds(jobs)), options);
  await line.prepare();
  await Promise.all(options.lanes.map((lane) => line.serve(lane)));
  checkGoingOn(options.signal);
  return line.results(jobs);
}

/** One job for each key, the first; equal jobs of several studies are one. */
function distinct(jobs: readonly Job[]): Map<string, Job> {
  const found = new Map<string, Job>();
  for (const job of jobs) if (!found.has(jobKey(job))) found.set(jobKey(job), job);
  return found;
}

type State = "waiting" | "running" | "done" | "failed";

const secondsOf = ({ kind, config, needs }: Job): number => kind.seconds(config as never, needs);

/** Jobs, and what became of them. */
class JobLine {
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #options: RunJobsOptions;
  readonly #states = new Map<string, State>();
  readonly #shares = new Map<string, number>();
  readonly #failures: JobFailure[] = [];
  /** Called when a job ends, so that idle lanes look again. */
  #wake: (() => void)[] = [];

  constructor(jobs: ReadonlyMap<string, Job>, options: RunJobsOptions) {
    this.#jobs = jobs;
    this.#options = options;
  }

  async prepare(): Promise<void> {
    for (const [key, job] of this.#jobs)
      this.#states.set(key, (await this.#options.cache.has(job)) ? "done" : "waiting");
    this.#tell();
  }

  /** Takes one job after the other until none is left. */
  async serve(lane: Lane): Promise<void> {
    while (!this.#options.signal.aborted) {
      const job = this.#next();
      if (job) await this.#do(job, lane);
      else if (this.#anyRunning()) await new Promise<void>((resolve) => this.#wake.push(resolve));
      else return;
    }
  }

  async results(jobs: readonly Job[]): Promise<Results> {
    const done = new Map<string, DoneJob>();
    for (const job of withNeeds(jobs)) {
      const key = jobKey(job);
      if (this.#states.get(key) === "done" && !done.has(key)) done.set(key, await this.#options.cache.read(job));
    }
    return {
      of: <Values>(job: Job<Values>) => done.get(jobKey(job)) as DoneJob<Values> | undefined,
      failures: this.#failures,
    };
  }

  /** The first job that waits and whose needs are done. */
  #next(): Job | undefined {
    for (const [key, job] of this.#jobs) {
      if (this.#states.get(key) !== "waiting") continue;
      const needs = job.needs.map((need) => ({ need, state: this.#states.get(jobKey(need)) }));
      const failed = needs.find(({ state }) => state === "failed");
      if (failed) this.#fail(job, `needs ${failed.need.label}, which failed`);
      else if (needs.every(({ state }) => state === "done")) return job;
    }
    return undefined;
  }

  async #do(job: Job, lane: Lane): Promise<void> {
    const { cache, signal } = this.#options;
    const key = jobKey(job);
    this.#states.set(key, "running");
    const onShare = (share: number): void => {
      this.#shares.set(key, share);
      this.#tell();
    };
    try {
      const folder = await cache.prepare(job);
      const needs = job.needs.map((need) => cache.folderOf(need));
      await lane.run({ kind: job.kind.name, config: job.config, label: job.label, folder, needs }, { signal, onShare });
      this.#states.set(key, "done");
    } catch (error) {
      if (signal.aborted) this.#states.set(key, "waiting");
      else this.#fail(job, error instanceof Error ? error.message : String(error));
    }
    this.#shares.delete(key);
    this.#tell();
    this.#wake.splice(0).forEach((wake) => wake());
  }

  #fail(job: Job, reason: string): void {
    this.#states.set(jobKey(job), "failed");
    const failure = { job, reason };
    this.#failures.push(failure);
    this.#options.onFailure?.(failure);
  }

  #anyRunning(): boolean {
    return [...this.#states.values()].includes("running");
  }

  #tell(): void {
    const entries = [...this.#jobs].map(([key, job]) => ({ key, job, state: this.#states.get(key) }));
    const shareOf = (key: string, state: State | undefined): number =>
      state === "running" ? (this.#shares.get(key) ?? 0) : state === "waiting" ? 0 : 1;
    this.#options.onProgress?.({
      done: entries.reduce((sum, { key, job, state }) => sum + secondsOf(job) * shareOf(key, state), 0),
      total: entries.reduce((sum, { job }) => sum + secondsOf(job), 0),
      running: entries.flatMap(({ job, state }) => (state === "running" ? [job.label] : [])),
    });
  }
}
