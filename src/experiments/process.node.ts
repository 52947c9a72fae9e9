import type { Dataset } from "../data/dataset.ts";
import { randomRows } from "../data/rows.ts";
import { fitStandardiser, standardise, type Standardiser } from "../data/standardise.ts";
import { isToyName, toyDatasets } from "../data/toy.ts";
import { kernelDensity } from "../diffusion/oracles/kernel-density.ts";
import type { GaussianMixture } from "../diffusion/oracles/mixture.ts";
import { snr, type NoiseSchedule } from "../diffusion/schedule.ts";
import { scheduleConfig, scheduleFromConfig, type ScheduleConfig } from "../diffusion/schedules/schedule-config.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { parseTrainingConfig, type TrainingConfig } from "../train/config.ts";
import { toyMixture } from "../train/toy-oracle.ts";
import { openSource } from "./data-file.node.ts";
import type { DataSource } from "./data-source.ts";
import { baseTraining } from "./measures.node.ts";
import type { RunChoice } from "./study.ts";

/** A forward process: the data that it starts from, and its schedule. No model is needed for it. */
export interface ProcessConfig extends DataSource, Pick<TrainingConfig, "dataNoise" | "dataSize" | "seed"> {
  readonly schedule: ScheduleConfig;
}

/** The forward process of the models that studies share. */
export function processOf({ source, seed, scale }: RunChoice): ProcessConfig {
  const { data, digest } = source;
  const training = parseTrainingConfig({ ...baseTraining[scale], data, seed });
  const { dataNoise, dataSize, schedule, ...options } = training;
  const { timesteps, betaStart, betaEnd, sigmaMin, sigmaMax, zeroTerminalSnr, rescaleBetas, betas } = options;
  const given = { timesteps, betaStart, betaEnd, sigmaMin, sigmaMax, zeroTerminalSnr, rescaleBetas, betas };
  return { data, digest, dataNoise, dataSize, seed, schedule: scheduleConfig(schedule, given) };
}

/** A forward process that is ready to be looked at. */
export interface OpenProcess {
  readonly dataset: Dataset;
  /** Number of columns. */
  readonly width: number;
  readonly standardiser: Standardiser;
  readonly schedule: NoiseSchedule;
  /** Standardised points `[count, D]`: new ones where the generator is known, else random ones of the data. */
  readonly draw: (count: number, draw: number) => FloatTensor;
}

/** @throws UnnoiseError when the data cannot be read */
export async function openProcess(config: ProcessConfig): Promise<OpenProcess> {
  const dataset = await openSource(config);
  const standardiser = fitStandardiser(dataset.points);
  const draw = (count: number, turn: number): FloatTensor =>
    dataset.draw?.(count, config.seed + FRESH_SEED + turn) ??
    randomRows(dataset.points, count, new Random(config.seed, "metric"), FIRST_TURN + turn);
  return {
    dataset,
    width: at(dataset.points.shape, 1),
    standardiser,
    schedule: scheduleFromConfig(config.schedule),
    draw: (count, turn) => standardise(draw(count, turn), standardiser),
  };
}

/** Keep fresh data of a process apart from those of metrics and bounds. */
const FRESH_SEED = 2000;
const FIRST_TURN = 2 ** 21;

/** Points that a kernel density is made of. */
const KERNELS = 2000;

/** A mixture of more components than this is made of coarser cells where the noise hides them. */
const MANY_COMPONENTS = 1500;

/** Largest side of a cell, in units of a toy set. */
const LARGEST_CELL = 0.1;

/**
 * The distribution of the standardised data, as fine as it is needed at a step: of toy sets the exact one, of others a kernel density of
 * some of their points.
 */
export function densityOf(config: ProcessConfig, process: OpenProcess): (step: number) => GaussianMixture {
  const { data, dataNoise, seed } = config;
  const { dataset, standardiser, schedule } = process;
  if (isToyName(data)) {
    const noise = dataNoise ?? toyDatasets[data].noise;
    const finest = toyMixture(data, { standardiser, noise });
    if (finest.weights.length <= MANY_COMPONENTS) return () => finest;
    return (step) => {
      const hidden = Math.min(...standardiser.scale) / Math.sqrt(snr(schedule, step));
      const spacing = Math.min(LARGEST_CELL, Math.hypot(noise, hidden) / 2);
      return spacing <= noise ? finest : toyMixture(data, { standardiser, noise, spacing });
    };
  }
  const some = randomRows(dataset.points, KERNELS, new Random(seed, "metric"), FIRST_TURN - 1);
  const kernels = kernelDensity(standardise(some, standardiser));
  return () => kernels;
}

/** A mixture's marginal over its first two columns, where it has more. */
export function planeOfMixture(mixture: GaussianMixture): GaussianMixture {
  const { width, means, variances } = mixture;
  if (width <= 2) return mixture;
  const firstTwo = (values: Float64Array): Float64Array => values.filter((_, i) => i % width < 2);
  return { ...mixture, width: 2, means: firstTwo(means), variances: firstTwo(variances) };
}
