import type { FloatTensor } from "../tensor/tensor.ts";

/** What JSON holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Tensors by name. */
export type Arrays = Readonly<Record<string, FloatTensor>>;

/** What a job gives: plain JSON, and arrays that would be long in it. */
export interface JobResult<Values = unknown> {
  readonly values: Values;
  readonly arrays: Arrays;
}

/** A finished job: its result, and the folder in which it left its files. */
export interface DoneJob<Values = unknown> extends JobResult<Values> {
  readonly folder: string;
}

/** What a job may use while it runs. */
export interface JobContext {
  /** A folder of its own, made before; what an interrupted attempt left is still there. */
  readonly folder: string;
  /** The jobs that it needs, in their order. */
  readonly needs: readonly DoneJob[];
  readonly signal: AbortSignal;
  /** Tells the share that is done, in 0…1. */
  readonly onShare: (share: number) => void;
}

/**
 * A kind of work. The result must depend on configuration and needed jobs alone, so that it can be kept and used again: one thread,
 * addressed random numbers, no clock.
 */
export interface JobKind<Config = never, Values = unknown> {
  /** Names the kind in the cache; kebab-case. */
  readonly name: string;
  /** To be raised when the same configuration would give another result than before. */
  readonly version: number;
  /** Rough cost in seconds, for progress and order alone. */
  readonly seconds: (config: Config, needs: readonly Job[]) => number;
  /** @throws UnnoiseError `interrupted` after `signal` */
  readonly run: (config: Config, context: JobContext) => Promise<JobResult<Values>>;
}

/** A unit of work of a study. */
export interface Job<Values = unknown> {
  readonly kind: JobKind<never, Values>;
  /** Plain JSON, together with kind and needs all that the result depends on. */
  readonly config: unknown;
  readonly needs: readonly Job[];
  /** For people: "train moons, cosine, seed 2". */
  readonly label: string;
}

/** A job of a kind, with its configuration. */
export function jobOf<Config, Values>(
  kind: JobKind<Config, Values>,
  config: Config,
  label: string,
  needs: readonly Job[] = [],
): Job<Values> {
  return { kind: kind, config, needs, label };
}

/** A job with all that it needs, and all that they need, each before what needs it. */
export function withNeeds(jobs: readonly Job[]): Job[] {
  const seen = new Set<Job>();
  const add = (job: Job): void => {
    if (seen.has(job)) return;
    job.needs.forEach(add);
    seen.add(job);
  };
  jobs.forEach(add);
  return [...seen];
}

/** What became of a job that gave no result. */
export interface JobFailure {
  readonly job: Job;
  /** One line. */
  readonly reason: string;
}

/** Results of jobs, for whoever presents them. */
export interface Results {
  /** The result of a job; undefined where it failed. */
  readonly of: <Values>(job: Job<Values>) => DoneJob<Values> | undefined;
  readonly failures: readonly JobFailure[];
}
