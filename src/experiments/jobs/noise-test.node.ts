import { qSample } from "../../diffusion/forward.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { quantile } from "../../math/quantile.ts";
import { Random } from "../../math/random.ts";
import { energyDistance } from "../../metrics/energy.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { eventLoopPause } from "../../train/event-loop.ts";
import type { DoneJob, JobContext, JobKind } from "../job.ts";
import { openProcess, type ProcessConfig } from "../process.node.ts";

/** What the test says where there is nothing to tell. */
export interface NoiseTestNullConfig {
  /** Points in each of the two sets. */
  readonly count: number;
  /** Values of a point, or the process whose data tell it. */
  readonly width: number | ProcessConfig;
  readonly repetitions: number;
  /** Share of false alarms. */
  readonly level: number;
}

/** The limit of the test. */
export interface NoiseTestNullValues {
  /** Quantile 1 − level of the energy distance between two sets of noise. */
  readonly threshold: number;
}

const SECONDS_PER_PAIR = 2.5e-8;
const secondsOf = (count: number): number => 2 * count ** 2 * SECONDS_PER_PAIR;

/** The energy distance that two sets of pure noise exceed in a share `level` of all cases: it depends on neither data nor t. */
export const noiseTestNullKind: JobKind<NoiseTestNullConfig, NoiseTestNullValues> = {
  name: "noise-test-null",
  version: 1,
  seconds: ({ count, repetitions }) => repetitions * secondsOf(count),
  run: async ({ count, width, repetitions, level }, context) => {
    const random = new Random(0, "metric");
    const columns = typeof width === "number" ? width : (await openProcess(width)).width;
    const distances = await repeated(repetitions, context, (repetition) =>
      energyDistance(
        noiseSet(random, count, columns, 2 * repetition),
        noiseSet(random, count, columns, 2 * repetition + 1),
      ),
    );
    return { values: { threshold: quantile(distances, 1 - level) }, arrays: {} };
  },
};

/** How the test is put to the noised data. */
export interface NoiseTestConfig {
  readonly process: ProcessConfig;
  readonly count: number;
  /** t, 1…T. */
  readonly times: readonly number[];
  readonly repetitions: number;
}

/** How often the test told noised data from noise, one number for each time. */
export interface NoiseTestValues {
  readonly rejections: readonly number[];
}

/**
 * Draws of x_t against as many of N(0, I), again and again: how often their energy distance exceeds the limit. Every test has noise
 * of its own; the times of a repetition share its data, and processes of one seed share the noise. Needs noise-test-null.
 */
export const noiseTestKind: JobKind<NoiseTestConfig, NoiseTestValues> = {
  name: "noise-test",
  version: 1,
  seconds: ({ count, repetitions, times }) => 0.3 + repetitions * times.length * secondsOf(count),
  run: async ({ process, count, times, repetitions }, context) => {
    const { threshold } = (at(context.needs, 0) as DoneJob<NoiseTestNullValues>).values;
    const { draw, schedule, width } = await openProcess(process);
    const [noise, reference] = [new Random(process.seed, "noise"), new Random(process.seed, "start")];
    const verdicts = await repeated(repetitions, context, (repetition) => {
      const x0 = draw(count, 1 + repetition);
      return times.map((t, index) => {
        const turn = repetition * times.length + index;
        const xt = qSample(x0, noiseSet(noise, count, width, turn), schedule, t - 1);
        return energyDistance(xt, noiseSet(reference, count, width, turn)) > threshold;
      });
    });
    const rejections = times.map((_, index) => verdicts.filter((verdict) => verdict[index]).length);
    return { values: { rejections }, arrays: {} };
  },
};

function noiseSet(random: Random, count: number, width: number, step: number): FloatTensor {
  const points = floatTensor(new Float32Array(count * width), [count, width]);
  random.normals(points.data, width, 0, step);
  return points;
}

async function repeated<T>(
  count: number,
  { signal, onShare }: Pick<JobContext, "signal" | "onShare">,
  once: (repetition: number) => T,
): Promise<T[]> {
  const pause = eventLoopPause();
  const results: T[] = [];
  for (let repetition = 0; repetition < count; repetition++) {
    await pause();
    if (signal.aborted) throw new UnnoiseError("interrupted", `stopped after ${repetition} of ${count} repetitions`);
    results.push(once(repetition));
    onShare((repetition + 1) / count);
  }
  return results;
}
