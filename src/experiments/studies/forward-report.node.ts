import { formatPower } from "../../figures/axes.ts";
import { alphaCumprodAt, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { short } from "../../math/short.ts";
import { grouped } from "../../math/text.ts";
import type { Job, Json, Results } from "../job.ts";
import type { ForwardStatesValues } from "../jobs/forward-states.node.ts";
import type { NoiseDistanceValues } from "../jobs/noise-distance.node.ts";
import type { NoiseTestValues } from "../jobs/noise-test.node.ts";
import type { Section, StudyReport, Table } from "../study.ts";
import { timeOfChance, timeOfPower, wilsonShare, type Share } from "../test-power.ts";
import {
  densityFigure,
  distanceFigure,
  levelsFigure,
  movingFigure,
  powerFigure,
  stripsFigure,
} from "./forward-figures.node.ts";

/** The jobs of one data set. */
export interface ForwardSubject {
  readonly name: string;
  /** How its files begin. */
  readonly file: string;
  readonly stripTimes: readonly number[];
  readonly states: Job<ForwardStatesValues>;
  readonly frameTimes: readonly number[];
  /** Of one data set alone. */
  readonly frames?: Job<ForwardStatesValues>;
  readonly distanceTimes: readonly number[];
  readonly distance: Job<NoiseDistanceValues>;
  readonly tests: readonly {
    readonly count: number;
    readonly times: readonly number[];
    readonly repetitions: number;
    readonly job: Job<NoiseTestValues>;
  }[];
}

/** What the study did. */
export interface ForwardWork {
  readonly schedule: NoiseSchedule;
  /** Share of false alarms. */
  readonly level: number;
  /** Of each test, in the order of the subjects' tests. */
  readonly nullRepetitions: readonly number[];
  readonly distanceDraws: number;
  readonly subjects: readonly ForwardSubject[];
}

/** Power of a test of one data set against t. */
export interface PowerCurve {
  readonly subject: ForwardSubject;
  readonly count: number;
  readonly repetitions: number;
  readonly times: readonly number[];
  readonly powers: readonly Share[];
  /** Where it falls through one half, and to chance. */
  readonly half: number | null;
  readonly chance: number | null;
}

/** The distance of one data set to noise against t. */
export interface DistanceCurve extends NoiseDistanceValues {
  readonly subject: ForwardSubject;
  readonly times: readonly number[];
}

/** The report of the study. */
export function presentForward(work: ForwardWork, results: Results): StudyReport {
  const distances = distanceCurves(work, results);
  const powers = powerCurves(work, results);
  return {
    findings: findingsOf(work, powers, distances),
    sections: [
      levelsSection(work),
      ...work.subjects.map((subject) => subjectSection(subject, results, powers)),
      distanceSection(work, distances),
      powerSection(work, powers),
    ],
    numbers: numbersOf(work, distances, powers),
  };
}

function distanceCurves({ subjects }: ForwardWork, results: Results): DistanceCurve[] {
  return subjects.flatMap((subject) => {
    const done = results.of(subject.distance);
    return done ? [{ subject, times: subject.distanceTimes, ...done.values }] : [];
  });
}

function powerCurves({ subjects, level }: ForwardWork, results: Results): PowerCurve[] {
  return subjects.flatMap((subject) =>
    subject.tests.flatMap(({ count, times, repetitions, job }) => {
      const done = results.of(job);
      if (!done) return [];
      const powers = done.values.rejections.map((rejections) => wilsonShare(rejections, repetitions));
      const shares = powers.map(({ share }) => share);
      const half = timeOfPower(times, shares, 0.5);
      return [{ subject, count, repetitions, times, powers, half, chance: timeOfChance(times, powers, level) }];
    }),
  );
}

const percent = (share: number): string => `${short(100 * share)} %`;

function findingsOf(work: ForwardWork, powers: readonly PowerCurve[], distances: readonly DistanceCurve[]): string {
  const { timesteps } = work.schedule;
  const most = Math.max(...powers.map(({ count }) => count));
  const sharpest = powers.filter(({ count, half }) => count === most && half !== null);
  const ordered = sharpest.toSorted((a, b) => (a.half ?? 0) - (b.half ?? 0));
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (!first || !last)
    return "The tests that tell noised data from noise gave no crossing to report; the sections below show what there is.";
  const left = (curve: PowerCurve): string => percent(signalAt(work.schedule, curve.half ?? 0));
  const order = ordered
    .map(({ subject, half }) => `${subject.name} at t = ${String(Math.round(half ?? 0))}`)
    .join(", ");
  const ends = distances.map(({ kl }) => kl.at(-1) ?? 0);
  return [
    `A test that compares ${grouped(most)} noised points with ${grouped(most)} points of pure noise sees a difference in half of all tries up to: ${order}, of T = ${grouped(timesteps)} steps.`,
    ordered.length > 1
      ? `${first.subject.name} is lost first, when the data still make up ${left(first)} of the variance, and ${last.subject.name} last, at ${left(last)}: noise blurs fine shape first, while coarse shape, such as a tilt of the whole cloud or a gap between its halves, lasts.`
      : `The data then still make up ${left(first)} of the variance.`,
    missingWords(powers.filter(({ count, half }) => count === most && half === null)),
    chanceWords(powers.filter(({ count }) => count === most)),
    ends.length === 0 ? "" : endWords(Math.max(...ends)),
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** KL in bits from which on starting from pure noise is a mistake that can be seen. */
const FAR_FROM_NOISE = 0.01;

function endWords(most: number): string {
  const distance = `At the end the distributions differ from pure noise by an estimated ${bits(most)} bits or less`;
  return most < FAR_FROM_NOISE
    ? `${distance}, so that sampling may start from pure noise.`
    : `${distance}: sampling that starts from pure noise starts from a wrong place.`;
}

/** Data sets whose power does not fall through one half. */
function missingWords(powers: readonly PowerCurve[]): string {
  const say = ({ subject, powers: shares }: PowerCurve): string =>
    (shares.at(-1)?.share ?? 0) < 0.5
      ? `${subject.name} is in less than half of all tries from the start`
      : `${subject.name} is in half of all tries or more to the end`;
  return powers.length === 0 ? "" : `Told from noise – ${powers.map(say).join("; ")}.`;
}

function chanceWords(powers: readonly PowerCurve[]): string {
  const latest = powers.reduce<number | null>(
    (most, { chance }) => (most === null || chance === null ? null : Math.max(most, chance)),
    0,
  );
  if (latest === null) return "On some of them the test does better than chance at all times.";
  return `By about t = ${String(latest)} the power on each of them has come down to where these tries cannot tell it from chance.`;
}

const signalAt = (schedule: NoiseSchedule, t: number): number => alphaCumprodAt(schedule, Math.round(t) - 1);
const bits = (value: number): string => (value >= 1e-3 ? short(value) : formatPower(Number(value.toPrecision(2))));

function levelsSection(work: ForwardWork): Section {
  const { schedule } = work;
  const { timesteps } = schedule;
  const equal = schedule.alphasCumprod.findIndex((alphaCumprod) => alphaCumprod < 0.5) + 1;
  return {
    heading: "How much noise there is at each step",
    text: [
      `The forward process takes T = ${grouped(timesteps)} small steps. Each shrinks every point a little towards the middle and adds a little Gaussian noise, so that the total variance stays 1 (all data are first scaled to mean 0 and variance 1). What counts at step t is ᾱ (read “alpha bar”): the share of the variance that still comes from the data; 1 − ᾱ is the share of noise. Their ratio ᾱ/(1 − ᾱ) is the signal-to-noise ratio, SNR.`,
      `Data and noise are equally strong (SNR = 1) at t = ${equal}. At the last step ᾱ = ${bits(alphaCumprodAt(schedule, timesteps - 1))}: that much of the variance comes from the data.`,
      "Below, the same points are shown at several t, each with one draw of noise that is kept: x_t = √ᾱ · x_0 + √(1 − ᾱ) · noise, where x_0 is a point of the data. They do not fly apart: while the noise grows, the data shrink towards the middle, and both together keep the same variance. The densities are those of all points that could be drawn: every bit of the data is smeared by a Gaussian that grows, and thin structure goes first.",
    ].join("\n\n"),
    figures: [levelsFigure(schedule)],
  };
}

/** When the largest test no longer sees a data set. */
function halfWords(subject: ForwardSubject, powers: readonly PowerCurve[]): string {
  const own = powers.filter((each) => each.subject === subject && each.half !== null).at(-1);
  if (!own) return "";
  return `A test with ${grouped(own.count)} points tells them from noise in most tries up to t ≈ ${Math.round(own.half ?? 0)}.`;
}

function subjectSection(subject: ForwardSubject, results: Results, powers: readonly PowerCurve[]): Section {
  const states = results.of(subject.states);
  const frames = subject.frames && results.of(subject.frames);
  const heading = `${subject.name} on the way to noise`;
  if (!states) return { heading, text: "The noised points could not be made; see the failed runs below." };
  const plane = states.values.extents === null ? [] : [densityFigure(subject, states)];
  const text = [
    `${states.values.columns.length > 1 ? "Points, and below them the density from which they are drawn," : "Points"} at ${subject.stripTimes.length} times. ${halfWords(subject, powers)}`,
  ];
  return {
    heading,
    text: text.filter((part) => part !== "").join("\n\n"),
    figures: [stripsFigure(subject, states), ...plane, ...(frames ? [movingFigure(subject, frames)] : [])],
  };
}

function distanceSection({ distanceDraws, subjects }: ForwardWork, distances: readonly DistanceCurve[]): Section {
  const heading = "How far the noised data are from pure noise";
  if (distances.length === 0) return { heading, text: "No distance could be measured; see the failed runs below." };
  const missing = subjects.filter((subject) => !distances.some((each) => each.subject === subject));
  return {
    heading,
    text: [
      `The Kullback–Leibler divergence (KL) says, in bits for each point, how surely draws of one distribution can be told from draws of another; 0 means that both are the same. Solid curves: KL of all x_t together from N(0, I), the pure noise from which sampling starts, estimated from ${grouped(distanceDraws)} draws of the density (exact for built-in data sets, a kernel density of the points for others). Dashed: the mean KL if one knew which point x_0 each x_t comes from. It is the term L_T of the variational bound if the process ended at t, and it must lie above: the room between is what x_t still tells about x_0.`,
      "That room is why a chain can look like noise as a whole long before single points have forgotten where they came from.",
      ...missing.map(({ name }) => `Nothing was measured for ${name}.`),
    ].join("\n\n"),
    figures: [distanceFigure(distances)],
    tables: [distanceTable(distances)],
  };
}

function distanceTable(distances: readonly DistanceCurve[]): Table {
  return {
    name: "distance",
    folded: "Distances at each t",
    header: ["data", "t", "KL to noise (bits)", "standard error (bits)", "upper bound (bits)"],
    rows: distances.flatMap(({ subject, times, kl, standardErrors, bounds }) =>
      times.map((t, i) => [subject.name, t, kl[i] ?? null, standardErrors[i] ?? null, bounds[i] ?? null]),
    ),
  };
}

function powerSection(work: ForwardWork, powers: readonly PowerCurve[]): Section {
  const heading = "When nobody can tell the data from noise";
  if (powers.length === 0) return { heading, text: "No test could be made; see the failed runs below." };
  const first = work.subjects[0]?.tests ?? [];
  const repeated = first.map(
    ({ count, repetitions }, i) =>
      `${grouped(repetitions)} times with ${grouped(count)} points (limit from ${grouped(work.nullRepetitions[i] ?? 0)} pairs of noise)`,
  );
  const last = powers.map((curve) => curve.powers.at(-1)?.share ?? 0);
  return {
    heading,
    text: [
      `Draw n points of x_t and n points of pure noise, and measure the energy distance between the two sets. Is it larger than in ${percent(1 - work.level)} of all cases where both sets are pure noise? Then the test says “different”. By chance alone it says so in ${percent(work.level)} of cases. Its power is the share of tries in which it says “different”; each test was made ${repeated.join(", ")}. All data sets meet the same draws of noise. Bands: 95 % intervals (Wilson) of these shares.`,
      `Where the power has fallen to ${percent(work.level)}, the data are indistinguishable from noise for this test and this many points. More points see longer: “looks like noise” always means “to so many points”. At t = T the test says “different” in ${percent(Math.min(...last))} to ${percent(Math.max(...last))} of tries, where ${percent(work.level)} is expected.`,
      reading(powers),
    ].join("\n\n"),
    figures: [powerFigure(powers, work.level)],
    tables: [limitsTable(work, powers), powerTable(powers)],
  };
}

function reading(curves: readonly PowerCurve[]): string {
  const say = ({ subject, count, half, powers: shares }: PowerCurve): string =>
    half === null
      ? `${subject.name} with ${grouped(count)} points: ${(shares[0]?.share ?? 0) < 0.5 ? "from the start" : "not before the end"}`
      : `${subject.name} with ${grouped(count)} points: t ≈ ${Math.round(half)}`;
  return `The power falls below one half: ${curves.map(say).join("; ")}.`;
}

function limitsTable({ schedule }: ForwardWork, powers: readonly PowerCurve[]): Table {
  return {
    name: "indistinguishable",
    header: ["data", "points", "t at power 50 %", "ᾱ there", "t of chance"],
    rows: powers.map(({ subject, count, half, chance }) => [
      subject.name,
      count,
      half,
      half === null || half < 1 ? null : signalAt(schedule, half),
      chance,
    ]),
  };
}

function powerTable(powers: readonly PowerCurve[]): Table {
  return {
    name: "power",
    folded: "Power at each t",
    header: ["data", "points", "repetitions", "t", "power", "95 % low", "95 % high"],
    rows: powers.flatMap(({ subject, count, repetitions, times, powers: shares }) =>
      shares.map(({ share, low, high }, i) => [subject.name, count, repetitions, times[i] ?? null, share, low, high]),
    ),
  };
}

function numbersOf(
  { schedule, subjects }: ForwardWork,
  distances: readonly DistanceCurve[],
  powers: readonly PowerCurve[],
): Json {
  return {
    timesteps: schedule.timesteps,
    alphasCumprod: [...schedule.alphasCumprod],
    data: subjects.map((subject) => ({
      name: subject.name,
      distance: distances
        .filter((each) => each.subject === subject)
        .map(({ times, kl, standardErrors, bounds }) => ({ times, kl, standardErrors, bounds })),
      power: powers
        .filter((each) => each.subject === subject)
        .map(({ count, repetitions, times, powers: shares, half, chance }) => ({
          count,
          repetitions,
          times,
          half,
          chance,
          powers: shares.map((share) => ({ ...share })),
        })),
    })),
  };
}
