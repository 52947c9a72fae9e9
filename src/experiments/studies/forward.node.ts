import { isToyName } from "../../data/toy.ts";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { at } from "../../math/error.ts";
import { jobOf, type Job } from "../job.ts";
import { forwardStatesKind, type ForwardStatesValues } from "../jobs/forward-states.node.ts";
import { noiseDistanceKind, type NoiseDistanceValues } from "../jobs/noise-distance.node.ts";
import { noiseTestKind, noiseTestNullKind, type NoiseTestValues } from "../jobs/noise-test.node.ts";
import { fileNamesOf } from "../file-names.ts";
import { nameOf } from "../measures.node.ts";
import { processOf, type ProcessConfig } from "../process.node.ts";
import type { Scale, Study, StudyOptions } from "../study.ts";
import { presentForward, type ForwardSubject, type ForwardWork } from "./forward-report.node.ts";

/** How much is done at each scale. */
interface Sizes {
  readonly points: number;
  readonly cells: number;
  readonly distanceTimes: number;
  readonly distanceDraws: number;
  readonly tests: readonly TestSize[];
}

interface TestSize {
  /** Points in each of the two sets. */
  readonly count: number;
  readonly times: number;
  readonly repetitions: number;
  readonly nullRepetitions: number;
}

const sizes: Readonly<Record<Scale, Sizes>> = {
  quick: {
    points: 1500,
    cells: 64,
    distanceTimes: 20,
    distanceDraws: 1500,
    tests: [
      { count: 100, times: 12, repetitions: 100, nullRepetitions: 2000 },
      { count: 500, times: 12, repetitions: 80, nullRepetitions: 600 },
    ],
  },
  full: {
    points: 3000,
    cells: 96,
    distanceTimes: 40,
    distanceDraws: 6000,
    tests: [
      { count: 100, times: 20, repetitions: 500, nullRepetitions: 10_000 },
      { count: 500, times: 16, repetitions: 200, nullRepetitions: 2000 },
      { count: 2000, times: 12, repetitions: 50, nullRepetitions: 500 },
    ],
  },
};

const STRIP_PANELS = 8;
const FRAMES = 24;
const FRAME_POINTS = 1000;
/** Share of false alarms of the test. */
const LEVEL = 0.05;

/** `count` times from T/count or less to T, denser at its beginning. */
const risingTimes = (timesteps: number, count: number): number[] => [
  ...new Set(Array.from({ length: count }, (_, i) => Math.max(1, Math.round(timesteps * ((i + 1) / count) ** 2)))),
];
const timesFromData = (timesteps: number, count: number): number[] => [0, ...risingTimes(timesteps, count - 1)];

/** Data on their way to noise. */
export const forwardStudy: Study = {
  name: "forward",
  title: "The forward process: from data to noise",
  question:
    "What does adding noise step by step do to the data, and when has it destroyed all that one could see of them?",
  plan: (options) => {
    const work = workOf(options);
    const jobs = work.subjects.flatMap(({ states, frames, distance, tests }) => [
      states,
      ...(frames ? [frames] : []),
      distance,
      ...tests.map(({ job }) => job),
    ]);
    return { jobs, present: (results) => presentForward(work, results) };
  },
};

function workOf({ data, scale, seed }: StudyOptions): ForwardWork {
  const files = fileNamesOf(data);
  const processes = data.map((source) => processOf({ source, scale, seed }));
  const subjects = processes.map((process, index) => subjectOf(process, sizes[scale], index, files[index] ?? ""));
  return {
    schedule: scheduleFromConfig(at(processes, 0).schedule),
    level: LEVEL,
    nullRepetitions: sizes[scale].tests.map(({ nullRepetitions }) => nullRepetitions),
    distanceDraws: sizes[scale].distanceDraws,
    subjects,
  };
}

function subjectOf(process: ProcessConfig, size: Sizes, index: number, file: string): ForwardSubject {
  const name = nameOf({ source: process });
  const { timesteps } = scheduleFromConfig(process.schedule);
  const states = (times: readonly number[], points: number, cells: number | null): Job<ForwardStatesValues> =>
    jobOf(forwardStatesKind, { process, times, points, cells }, `noised ${name}, ${times.length} times`);
  const stripTimes = timesFromData(timesteps, STRIP_PANELS);
  const frameTimes = timesFromData(timesteps, FRAMES);
  const distanceTimes = risingTimes(timesteps, size.distanceTimes);
  return {
    name,
    file,
    stripTimes,
    states: states(stripTimes, size.points, size.cells),
    frameTimes,
    ...(index === 0 && { frames: states(frameTimes, FRAME_POINTS, null) }),
    distanceTimes,
    distance: distanceJob(process, distanceTimes, size.distanceDraws, name),
    tests: size.tests.map((test) => testOf(process, test, timesteps, name)),
  };
}

const distanceJob = (
  process: ProcessConfig,
  times: readonly number[],
  draws: number,
  name: string,
): Job<NoiseDistanceValues> => jobOf(noiseDistanceKind, { process, times, draws }, `distance of ${name} to noise`);

function testOf(
  process: ProcessConfig,
  { count, times: many, repetitions, nullRepetitions }: TestSize,
  timesteps: number,
  name: string,
): ForwardSubject["tests"][number] {
  const times = risingTimes(timesteps, many);
  const width = isToyName(process.data) ? 2 : process;
  const limit = jobOf(
    noiseTestNullKind,
    { count, width, repetitions: nullRepetitions, level: LEVEL },
    `test of noise against noise, ${count} points`,
  );
  const job: Job<NoiseTestValues> = jobOf(
    noiseTestKind,
    { process, count, times, repetitions },
    `test of ${name} against noise, ${count} points`,
    [limit],
  );
  return { count, times, repetitions, job };
}
