import type { TrainingConfig } from "../train/config.ts";
import type { DataSource } from "./data-source.ts";
import type { Job, JobFailure, Json, Results } from "./job.ts";

/** How large a study is: `quick` shows that everything works and what to expect, `full` is to be trusted. */
export type Scale = "quick" | "full";

/** What a study is asked to do. */
export interface StudyOptions {
  /** At least one. */
  readonly data: readonly DataSource[];
  readonly scale: Scale;
  /** The first of the seeds. */
  readonly seed: number;
  /** How many seeds each setting is repeated with, where a study repeats. */
  readonly seeds: number;
}

/** A picture, or the frames of one that moves. */
export interface Figure {
  /** Of its files, without ending; kebab-case, one of a kind in the study. */
  readonly name: string;
  /** One or two sentences: what is seen, and what it says. */
  readonly caption: string;
  readonly svg: string | readonly string[];
}

/** Numbers as people read them; the same as CSV file where `name` says its name. */
export interface Table {
  /** Of its CSV file, without ending. */
  readonly name: string;
  readonly header: readonly string[];
  /** Numbers unrounded; the report rounds them. */
  readonly rows: readonly (readonly (string | number | null)[])[];
  /** Longer tables are folded, with this as what is seen. */
  readonly folded?: string;
}

/** A part of a report. */
export interface Section {
  readonly heading: string;
  /** Paragraphs, separated by an empty line, that a reader understands who knows no code. */
  readonly text: string;
  readonly figures?: readonly Figure[];
  readonly tables?: readonly Table[];
}

/** What a study found. */
export interface StudyReport {
  /** What was asked and what came out, in a paragraph made from the numbers. */
  readonly findings: string;
  readonly sections: readonly Section[];
  /** Everything that was measured, for results.json. */
  readonly numbers: Json;
}

/** What a study will do: its jobs, and how their results become a report. */
export interface StudyPlan {
  readonly jobs: readonly Job[];
  /** Called once all jobs have ended; those that failed give no result. */
  readonly present: (results: Results) => StudyReport;
}

/** One of the studies that `unnoise experiment` knows. */
export interface Study {
  readonly name: string;
  readonly title: string;
  /** The question, in a sentence. */
  readonly question: string;
  /** Data and number of seeds where none are asked for; those of the command if absent. */
  readonly data?: readonly string[];
  readonly seeds?: number;
  readonly plan: (options: StudyOptions) => StudyPlan;
}

/** Data and seed of one model. */
export interface RunChoice {
  readonly source: DataSource;
  readonly seed: number;
  readonly scale: Scale;
}

/** Training options besides data and seed. */
export type TrainingChoice = Partial<Omit<TrainingConfig, "data" | "seed" | "device" | "threads">>;

/** A failed job, as a line of a report. */
export function failureLine({ job, reason }: JobFailure): string {
  return `${job.label}: ${reason}`;
}
