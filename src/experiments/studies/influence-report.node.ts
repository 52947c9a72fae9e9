import { at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import type { DoneJob, Job, Json, Results } from "../job.ts";
import type { Estimate } from "../influence.ts";
import type { ContinuationsValues } from "../jobs/continuations.node.ts";
import type { KnownShareValues } from "../jobs/known-share.node.ts";
import type { StartEndValues } from "../jobs/start-end.node.ts";
import type { Section, StudyReport, Table } from "../study.ts";
import { chartsOf, mapOf } from "./influence-figures.node.ts";
import { decisionWords, findingsOf, mapWords, methodWords, setWords } from "./influence-words.node.ts";

/** Jobs of one sampler on one data set. */
export interface SamplerPlan {
  /** "DDIM, η = 0.5" */
  readonly short: string;
  readonly ends: Job<ContinuationsValues>;
  readonly map: Job<StartEndValues>;
}

/** Jobs of one data set. */
export interface SetPlan {
  readonly name: string;
  /** How names of its files begin. */
  readonly file: string;
  readonly timesteps: number;
  readonly samplers: readonly SamplerPlan[];
  readonly known: Job<KnownShareValues>;
}

/** All jobs of the study. */
export interface InfluencePlan {
  readonly states: number;
  readonly repeats: number;
  readonly replicates: number;
  readonly sets: readonly SetPlan[];
}

/** What one sampler did on one data set. */
export interface SamplerResult {
  readonly short: string;
  readonly values: ContinuationsValues;
}

/** Starts and ends of one sampler. */
export interface SamplerMap {
  readonly short: string;
  readonly columns: readonly string[];
  readonly starts: FloatTensor;
  readonly ends: FloatTensor;
}

/** What is known of one data set; without what failed. */
export interface SetResult {
  readonly name: string;
  readonly file: string;
  readonly timesteps: number;
  readonly samplers: readonly SamplerResult[];
  readonly maps: readonly SamplerMap[];
  readonly known: (KnownShareValues & { readonly times: readonly number[] }) | undefined;
  /** Names of the samplers without results. */
  readonly missing: readonly string[];
}

/** Figures, tables and words of the study. */
export function presentInfluence(plan: InfluencePlan, results: Results): StudyReport {
  const sets = plan.sets.map((set) => resultOf(set, results));
  return {
    findings: findingsOf(sets),
    sections: [{ heading: "How it is measured", text: methodWords(plan) }, ...sets.flatMap(sectionsOf)],
    numbers: sets.map(numbersOf),
  };
}

function resultOf({ samplers, known, ...set }: SetPlan, results: Results): SetResult {
  const done = samplers.map(({ short, ends, map }) => ({ short, ends: results.of(ends), map: results.of(map) }));
  const exact = results.of(known);
  return {
    name: set.name,
    file: set.file,
    timesteps: set.timesteps,
    samplers: done.flatMap(({ short, ends }) => (ends ? [{ short, values: ends.values }] : [])),
    maps: done.flatMap(({ short, map }) => (map ? [mapArrays(short, map)] : [])),
    known: exact && { ...exact.values, times: (known.config as { readonly times: readonly number[] }).times },
    missing: done.filter(({ ends }) => !ends).map(({ short }) => short),
  };
}

function mapArrays(short: string, { arrays, values }: DoneJob<StartEndValues>): SamplerMap {
  const { starts, ends } = arrays as { readonly starts: FloatTensor; readonly ends: FloatTensor };
  return { short, columns: values.columns, starts, ends };
}

function sectionsOf(set: SetResult): Section[] {
  const share: Section = {
    heading: `${set.name}: what the state knows of the end`,
    text: setWords(set),
    figures: chartsOf(set),
    tables: set.samplers.length === 0 ? [] : [shareTable(set)],
  };
  const decision: Section = {
    heading: `${set.name}: when the mode is chosen`,
    text: decisionWords(set),
    tables: set.samplers.length === 0 ? [] : [decisionTable(set)],
  };
  const plane = set.maps.filter(({ ends }) => ends.shape[1] === 2);
  const map: Section = {
    heading: `${set.name}: from start to end in colour`,
    text: mapWords(set),
    figures: mapOf(set, plane),
  };
  return [share, ...(plane.length > 0 ? [map] : []), decision];
}

function shareTable({ file, samplers }: SetResult): Table {
  const header = ["sampler", "t (steps)", "variance explained", "low", "high", "distance explained", "low", "high"];
  const cells = ({ value, low, high }: Estimate): number[] => [value, low, high];
  return {
    name: `${file}-influence`,
    header,
    rows: samplers.flatMap(({ values: { label, times, variance, distance } }) =>
      times.map((t, i) => [label, t, ...cells(at(variance, i)), ...cells(at(distance, i))]),
    ),
    folded:
      "All numbers: share of the variance and of the distance explained by the state at each t, with 95 % intervals",
  };
}

function decisionTable({ file, samplers }: SetResult): Table {
  return {
    name: `${file}-decision`,
    header: ["sampler", "decision time t (steps)", "low", "high", "same mode from one start", "chance"],
    rows: samplers.map(({ values: { label, decision, sameMode, chance } }) => [
      label,
      decision.value,
      decision.low,
      decision.high,
      sameMode.at(-1) ?? null,
      chance.at(-1) ?? null,
    ]),
  };
}

function numbersOf({ name, timesteps, samplers, known, missing }: SetResult): Json {
  return {
    data: name,
    timesteps,
    samplers: samplers.map(({ values }) => values as unknown as Json),
    exact: (known ?? null) as unknown as Json,
    missing,
  };
}
