import { at } from "../../math/error.ts";
import type { DoneJob, Job, Json, Results } from "../job.ts";
import type { ReverseStatesValues } from "../jobs/reverse-states.node.ts";
import type { ScoreErrorValues } from "../jobs/score-error.node.ts";
import type { ScoreFieldValues } from "../jobs/score-field.node.ts";
import type { Section, StudyReport, Table } from "../study.ts";
import { errorFigure, fieldFigures, movingFigure, stripFigures } from "./reverse-figures.node.ts";
import { errorWords, fieldWords, findingsOf, methodWords, stripWords } from "./reverse-words.node.ts";

/** Jobs of one data set. */
export interface ReversePlan {
  readonly name: string;
  /** How names of its files begin. */
  readonly file: string;
  readonly timesteps: number;
  readonly stateTimes: readonly number[];
  readonly fieldTimes: readonly number[];
  readonly frameTimes: readonly number[];
  readonly leastDensity: number;
  readonly rows: number;
  readonly states: Job<ReverseStatesValues>;
  readonly field: Job<ScoreFieldValues>;
  readonly error: Job<ScoreErrorValues>;
  /** For a moving picture. */
  readonly frames: Job<ReverseStatesValues> | undefined;
}

/** What is known of one data set; without what failed. */
export interface ReverseResult extends Pick<
  ReversePlan,
  "name" | "file" | "timesteps" | "stateTimes" | "fieldTimes" | "frameTimes" | "leastDensity" | "rows"
> {
  readonly states: DoneJob<ReverseStatesValues> | undefined;
  readonly field: DoneJob<ScoreFieldValues> | undefined;
  readonly error: ScoreErrorValues | undefined;
  readonly frames: DoneJob<ReverseStatesValues> | undefined;
}

/** Figures, tables and words of the study. */
export function presentReverse(plans: readonly ReversePlan[], results: Results): StudyReport {
  const sets = plans.map((plan): ReverseResult => ({
    ...plan,
    states: results.of(plan.states),
    field: results.of(plan.field),
    error: results.of(plan.error)?.values,
    frames: plan.frames && results.of(plan.frames),
  }));
  return {
    findings: findingsOf(sets),
    sections: [{ heading: "What is done", text: methodWords(sets) }, ...sets.flatMap(sectionsOf)],
    numbers: sets.map(numbersOf),
  };
}

function sectionsOf(set: ReverseResult): Section[] {
  return [
    {
      heading: `${set.name}: from noise to data`,
      text: stripWords(set),
      figures: [...stripFigures(set), ...movingFigure(set)],
    },
    {
      heading: `${set.name}: the learned score beside the exact one`,
      text: fieldWords(set),
      figures: fieldFigures(set),
    },
    {
      heading: `${set.name}: how exact the network is`,
      text: errorWords(set),
      figures: errorFigure(set),
      tables: set.error ? [errorTable(set.file, set.error)] : [],
    },
  ];
}

function errorTable(file: string, { times }: ScoreErrorValues): Table {
  const measured = ["relative error", "loss", "Bayes loss", "network's share"].flatMap((name) => [name, "± s.e."]);
  return {
    name: `${file}-score-error`,
    header: ["t (steps)", "ᾱ", ...measured],
    rows: times.map(({ t, alphaCumprod, relative, loss, bayes, excess }) => [
      t,
      alphaCumprod,
      ...[relative, loss, bayes, excess].flatMap(({ mean, standardError }) => [mean, standardError]),
    ]),
    folded: "All numbers: error of the learned score and parts of the loss at each t",
  };
}

function numbersOf({ name, timesteps, stateTimes, states, error }: ReverseResult): Json {
  return {
    data: name,
    timesteps,
    surprise: states ? stateTimes.map((t, i) => ({ t, rms: at(states.values.surprise, i) })) : null,
    score: (error ?? null) as unknown as Json,
  };
}
