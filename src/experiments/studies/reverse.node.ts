import { at } from "../../math/error.ts";
import { fileNamesOf } from "../file-names.ts";
import { jobOf, type Results } from "../job.ts";
import { reverseStatesKind } from "../jobs/reverse-states.node.ts";
import { scoreErrorKind } from "../jobs/score-error.node.ts";
import { scoreFieldKind } from "../jobs/score-field.node.ts";
import { trainingOf } from "../jobs/train.node.ts";
import { nameOf, trainJob } from "../measures.node.ts";
import type { RunChoice, Scale, Study } from "../study.ts";
import { presentReverse, type ReversePlan } from "./reverse-report.node.ts";

/** How much is done at each scale. */
interface Sizes {
  /** Points that walk back. */
  readonly points: number;
  /** Draws at each time at which the score is compared. */
  readonly rows: number;
  /** Parts of T at which it is. */
  readonly parts: readonly number[];
}

const sizes: Readonly<Record<Scale, Sizes>> = {
  quick: { points: 1000, rows: 400, parts: [0, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1] },
  full: {
    points: 2000,
    rows: 2000,
    parts: [0, 0.004, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  },
};

/** Parts of T at which states are drawn. */
const STATES = [1, 0.6, 0.3, 0.15, 0.03];
/** Parts of T at which the score is drawn. */
const FIELDS = [0.6, 0.3, 0.1, 0.03];
const ARROWS = 20;
const LEAST_DENSITY = 1e-4;
const FIELD_POINTS = 1000;
const FRAMES = 26;
const FRAME_POINTS = 800;

/** Noise on its way back to data. */
export const reverseStudy: Study = {
  name: "reverse",
  title: "The reverse process: from noise to data",
  question:
    "How does a trained model turn noise back into data, and how close is what it has learned to the exact answer?",
  plan: ({ data, seed, scale }) => {
    const files = fileNamesOf(data);
    const sets = data.map((source, index) => setPlan({ source, seed, scale }, at(files, index), index === 0));
    const jobs = sets.flatMap(({ states, field, error, frames }) => [
      states,
      field,
      error,
      ...(frames ? [frames] : []),
    ]);
    return { jobs, present: (results: Results) => presentReverse(sets, results) };
  },
};

function setPlan(choice: RunChoice, file: string, moves: boolean): ReversePlan {
  const { points, rows, parts } = sizes[choice.scale];
  const { seed } = choice;
  const train = trainJob(choice);
  const { timesteps } = trainingOf([train]);
  const name = nameOf(choice);
  const times = (of: readonly number[]): number[] => [
    ...new Set(of.map((part) => Math.max(1, Math.round(part * timesteps)))),
  ];
  const states = { times: times(STATES), count: points, seed };
  const field = { times: times(FIELDS), side: ARROWS, leastDensity: LEAST_DENSITY, points: FIELD_POINTS, seed };
  const frames = { times: times(frameParts()), count: FRAME_POINTS, seed };
  return {
    name,
    file,
    timesteps,
    stateTimes: states.times,
    fieldTimes: field.times,
    frameTimes: frames.times,
    leastDensity: LEAST_DENSITY,
    rows,
    states: jobOf(reverseStatesKind, states, `noise back to ${name}`, [train]),
    field: jobOf(scoreFieldKind, field, `score field of ${name}`, [train]),
    error: jobOf(scoreErrorKind, { times: times(parts), rows, seed }, `score error on ${name}`, [train]),
    frames: moves ? jobOf(reverseStatesKind, frames, `noise back to ${name}, moving`, [train]) : undefined,
  };
}

/** From T down, slower where the shape comes out. */
function frameParts(): number[] {
  return Array.from({ length: FRAMES }, (_, i) => (1 - i / FRAMES) ** 1.8);
}
