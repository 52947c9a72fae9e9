import { meanOf, type MeanEstimate } from "../../math/running-mean.ts";
import { short } from "../../math/short.ts";
import { grouped } from "../../math/text.ts";
import { at } from "../../math/error.ts";
import type { DoneJob, Job, Json, Results } from "../job.ts";
import type { ForwardPathsValues } from "../jobs/forward-paths.node.ts";
import type { ReversePathsValues } from "../jobs/reverse-paths.node.ts";
import { ratioOfMeans, type PathValues } from "../path-recorder.ts";
import { spearmanInterval } from "../projection.ts";
import type { Section, StudyReport, Table } from "../study.ts";
import { sliceOf, statesOf } from "../tensor-rows.ts";
import { flowsFigure, orderFigure, planeFigure } from "./trajectories-figures.node.ts";

/** The jobs of one data set. */
export interface TrajectoriesSubject {
  readonly name: string;
  /** How its files begin. */
  readonly file: string;
  readonly timesteps: number;
  readonly forward: Job<ForwardPathsValues>;
  readonly reverse: readonly { readonly sampler: string; readonly job: Job<ReversePathsValues> }[];
}

/** The way back of one sampler. */
export interface WayBack {
  /** "DDIM" */
  readonly sampler: string;
  readonly done: DoneJob<ReversePathsValues>;
  /** Distance of an end to its own point of the data, over that to another point's. */
  readonly homing: MeanEstimate;
}

/** What is known of one data set. */
export interface Ways {
  readonly subject: TrajectoriesSubject;
  readonly forward: DoneJob<ForwardPathsValues>;
  readonly back: readonly WayBack[];
  /** Number of points. */
  readonly count: number;
}

/** The report of the study. */
export function presentTrajectories(subjects: readonly TrajectoriesSubject[], results: Results): StudyReport {
  const ways = subjects.flatMap((subject) => waysOf(subject, results) ?? []);
  return {
    findings: findingsOf(ways),
    sections: [
      introduction(subjects),
      ...subjects.map((subject) =>
        subjectSection(
          subject,
          ways.find((each) => each.subject === subject),
        ),
      ),
      lengthSection(ways),
      orderSection(ways),
    ],
    numbers: ways.map(numbersOf),
  };
}

function waysOf(subject: TrajectoriesSubject, results: Results): Ways | undefined {
  const forward = results.of(subject.forward);
  if (!forward) return undefined;
  const back = subject.reverse.flatMap(({ sampler, job }) => {
    const done = results.of(job);
    return done ? [{ sampler, done, homing: homingOf(forward, done) }] : [];
  });
  return { subject, forward, back, count: at(statesOf(forward).shape, 1) };
}

/** How much nearer ends are to the points from which their noise came than to other points: 1 where all is forgotten. */
function homingOf(forward: DoneJob, back: DoneJob): MeanEstimate {
  const start = sliceOf(statesOf(forward), 0);
  const states = statesOf(back);
  const end = sliceOf(states, at(states.shape, 0) - 1);
  const [count = 0, width = 0] = start.shape;
  const distances = (shift: number): Float64Array =>
    Float64Array.from({ length: count }, (_, row) => {
      const other = (row + shift) % count;
      let squares = 0;
      for (let d = 0; d < width; d++)
        squares += (at(end.data, row * width + d) - at(start.data, other * width + d)) ** 2;
      return Math.sqrt(squares);
    });
  return ratioOfMeans(distances(0), distances(Math.floor(count / 2)));
}

const finalOf = ({ done }: WayBack): number => at(done.values.orders, 0).correlations.at(-1) ?? Number.NaN;
const plusMinus = ({ mean, standardError }: MeanEstimate): string =>
  `${short(mean)} ± ${short(Number(standardError.toPrecision(1)))}`;
const rangeOf = (values: readonly number[]): string => {
  const text = (value: number): string =>
    (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0)).replace(/^-/, "−").replace(/^−(0\.00)$/, "$1");
  const [low, high] = [text(Math.min(...values)), text(Math.max(...values))];
  return low === high ? low : `${low} to ${high}`;
};

function findingsOf(ways: readonly Ways[]): string {
  const backs = ways.flatMap(({ back }) => back);
  const samplers = [...new Set(backs.map(({ sampler }) => sampler))];
  if (samplers.length === 0) return "No path could be followed; the failed runs below say why.";
  const sentences = samplers.map((sampler) => {
    const own = backs.filter((each) => each.sampler === sampler);
    const detours = own.map(({ done }) => done.values.detour.mean);
    return `${sampler} goes ${rangeOf(detours)} times the straight distance from its noise to its sample, and the order of the points along the first axis at the end agrees with that of the noise with a rank correlation of ${rangeOf(own.map(finalOf))}.`;
  });
  const homing = meanOf(backs.map((each) => each.homing.mean)).mean;
  return [
    ...sentences,
    "Steps of DDPM add fresh noise, so that the length of its paths grows with the number of steps; those of DDIM follow a smooth curve that has a length of its own.",
    `All start from the noise into which points of the data were turned. The mean distance of an end to its own point, divided by that to another point, is ${homing.toFixed(2)}: ${homing > 0.95 ? "noise has forgotten where it came from" : "the noise still tells a little about where it came from"}.`,
  ].join(" ");
}

function introduction(subjects: readonly TrajectoriesSubject[]): Section {
  const steps = [...new Set(subjects.map(({ timesteps }) => grouped(timesteps)))].join(" or ");
  return {
    heading: "What is drawn",
    text: [
      `Points of the data take the T = ${steps} small random steps of the forward process; t counts them. Where they end is almost pure noise; from there two samplers, which know only the trained network and not the points, lead back. DDPM takes each step with fresh noise; DDIM (η, its share of fresh noise, is 0) follows the network’s direction alone. Both start from the very same places and take all T steps.`,
      "In the pictures of density against time read the forward process from left to right and the samplers from right to left. All three should look alike, as they show the same distributions, although the single paths are quite different: that is why a random and a smooth way back can both be right.",
    ].join("\n\n"),
  };
}

/** How straight the paths of one data set are. */
function straightWords(back: readonly WayBack[]): string {
  const words = back.map(({ sampler, done }) => `${short(done.values.detour.mean)} times with ${sampler}`);
  return words.length === 0 ? "" : `From noise to sample a path is longer than the straight line ${words.join(", ")}.`;
}

function subjectSection({ name }: TrajectoriesSubject, ways: Ways | undefined): Section {
  const heading = `${name}: to noise and back`;
  if (!ways) return { heading, text: "The paths could not be followed; see the failed runs below." };
  const { forward, back } = ways;
  const flat = forward.values.columns.length < 2;
  return {
    heading,
    text: [
      flat
        ? ""
        : `First, ${name}: a few points that are spread over the data, each in its own colour, on their way there and back. ${straightWords(back)}`,
      "Then all points along one axis, with time on the horizontal axis: data on the left, noise on the right.",
      ...missingWords(back),
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
    figures: [...(flat ? [] : [planeFigure(ways)]), ...flowsFigure(ways)],
  };
}

const missingWords = (back: readonly WayBack[]): string[] =>
  back.length === 2 ? [] : ["A sampler is missing here, as its run failed."];

function lengthSection(ways: readonly Ways[]): Section {
  const heading = "How long and how straight the paths are";
  if (ways.length === 0) return { heading, text: "Nothing could be measured; see the failed runs below." };
  const worded = ways.flatMap(({ subject, back }) =>
    back.map(({ sampler, done }) => `${sampler} on ${subject.name} ${plusMinus(done.values.detour)}`),
  );
  return {
    heading,
    text: [
      "The length of a path is the sum of all its steps, in units in which the data have variance 1. Divided by the straight distance between its ends it says how straight the path is: 1 is a straight line. The table gives the mean length over the mean distance with its standard error, once along all steps and once along the about 60 states that the pictures show (“seen at 60 times”); a path without fresh noise gives nearly the same both times, a random one looks shorter the fewer of its states are seen. The second table tells whether a way leads back: the mean distance of a path’s end to the point of the data from which its noise came, over the distance to another point; 1 means that nothing leads back. ± is a standard error.",
      `Measured along all steps: ${worded.join("; ")}.`,
    ].join("\n\n"),
    tables: [lengthTable(ways), returnTable(ways)],
  };
}

const lengthHeader: readonly string[] = [
  "data",
  "process",
  "length",
  "distance",
  "length/distance",
  "±",
  "seen at 60 times",
  "± of it",
];

function lengthTable(ways: readonly Ways[]): Table {
  const row = (data: string, process: string, values: PathValues): Table["rows"][number] => [
    data,
    process,
    values.length.mean,
    values.distance.mean,
    values.detour.mean,
    values.detour.standardError,
    values.keptDetour.mean,
    values.keptDetour.standardError,
  ];
  return {
    name: "path-lengths",
    header: lengthHeader,
    rows: ways.flatMap(({ subject: { name }, forward, back }) => [
      row(name, "forward", forward.values),
      ...back.map(({ done }) => row(name, done.values.label, done.values)),
    ]),
  };
}

function returnTable(ways: readonly Ways[]): Table {
  return {
    name: "return",
    header: ["data", "sampler", "distance to own point / to another", "±"],
    rows: ways.flatMap(({ subject: { name }, back }) =>
      back.map(({ done, homing }) => [name, done.values.label, homing.mean, homing.standardError]),
    ),
  };
}

function orderSection(ways: readonly Ways[]): Section {
  const heading = "Whether points keep their order";
  const shown = ways.filter(({ back }) => back.length > 0);
  if (shown.length === 0) return { heading, text: "Nothing could be measured; see the failed runs below." };
  const shares = shown.flatMap(({ subject, back }) =>
    back.map(
      ({ sampler, done }) => `${sampler} on ${subject.name} ${short(100 * at(done.values.orders, 0).sameOrder)} %`,
    ),
  );
  return {
    heading,
    text: [
      "On a line, paths that follow a smooth flow can never cross: who starts further left ends further left. In the plane they can pass each other, and with fresh noise they always can. Spearman’s rank correlation compares the order of all points along an axis at each t with their order in the noise: 1 means that nobody has overtaken anybody, 0 that the first order is forgotten.",
      `Pairs of points that end in the order in which they started, along the first axis (50 % by chance): ${shares.join("; ")}.`,
    ].join("\n\n"),
    figures: [orderFigure(shown)],
    tables: [orderTable(shown)],
  };
}

function orderTable(ways: readonly Ways[]): Table {
  return {
    name: "order",
    header: ["data", "sampler", "axis", "rank correlation", "95 % low", "95 % high", "pairs in order"],
    rows: ways.flatMap(({ subject: { name }, back, count }) =>
      back.flatMap(({ done }) =>
        done.values.orders.map(({ axis, correlations, sameOrder }) => {
          const rho = correlations.at(-1) ?? 0;
          return [name, done.values.label, axis, rho, ...spearmanInterval(rho, count), sameOrder];
        }),
      ),
    ),
  };
}

function numbersOf({ subject, forward, back, count }: Ways): Json {
  const lengths = ({ length, keptLength, distance, detour, keptDetour }: PathValues): Json =>
    Object.fromEntries(
      Object.entries({ length, keptLength, distance, detour, keptDetour }).map(([key, value]) => [key, { ...value }]),
    );
  return {
    data: subject.name,
    points: count,
    forward: lengths(forward.values),
    reverse: back.map(({ done, homing }) => ({
      sampler: done.values.label,
      lengths: lengths(done.values),
      homing: { ...homing },
      times: done.values.times,
      orders: done.values.orders.map((order) => ({ ...order })),
    })),
  };
}
