import type { Dataset } from "../data/dataset.ts";
import { standardise } from "../data/standardise.ts";
import { isToyName } from "../data/toy.ts";
import { kernelDensity } from "../diffusion/oracles/kernel-density.ts";
import { sampleMixture } from "../diffusion/oracles/mixture-draws.ts";
import type { GaussianMixture } from "../diffusion/oracles/mixture.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { checkCountFits } from "./count-memory.ts";
import { machineMemory } from "../formats/machine-memory.node.ts";
import { toyMixture } from "./toy-oracle.ts";
import type { OpenRun } from "./open-run.node.ts";
import { randomRows } from "../data/rows.ts";
import { counted } from "../math/text.ts";

/** Memory of each value of a point: samples, the reference and three pairs of floors, raw and standardised, and what measures them. */
const VALUE_BYTES = 200;
/** Points that a kernel density is made of. */
const KERNELS = 2000;

/** Data to measure likelihoods on. */
export interface EvaluationData {
  /** Standardised. */
  readonly x0: FloatTensor;
  readonly note: string;
  /** Their distribution, where the oracle is asked. */
  readonly mixture?: GaussianMixture;
}

/** Which data. */
export interface EvaluationDataOptions {
  readonly count: number;
  readonly seed: number;
  /** Whether their distribution is asked. */
  readonly oracle: boolean;
}

/** Fresh points where the generator is known, else points of the data; with an oracle for data of unknown origin, draws from their kernel density. */
export async function evaluationData(run: OpenRun, options: EvaluationDataOptions): Promise<EvaluationData> {
  const { count, seed, oracle } = options;
  const dataset = await run.dataset();
  checkMeasurable(dataset, count);
  const { standardiser } = run.model;
  const { data, dataNoise } = await run.folder.config();
  if (oracle && !isToyName(data)) return kernelData(dataset, run, options);
  const points = dataset.draw?.(count, seed) ?? randomRows(dataset.points, count, new Random(seed, "metric"), 1);
  const x0 = standardise(points, standardiser);
  const note = dataset.draw
    ? counted(count, "fresh point")
    : `${counted(at(points.shape, 0), "point")} of the training data`;
  if (!oracle) return { x0, note };
  const noise = dataNoise === null ? {} : { noise: dataNoise };
  const mixture = isToyName(data) ? toyMixture(data, { ...noise, standardiser }) : undefined;
  return { x0, note, ...(mixture && { mixture }) };
}

/**
 * Checks that so many points can be measured against; of data whose generator is not known there are no more than they have.
 * @throws UnnoiseError `usage` with the largest number that fits
 */
export function checkMeasurable({ draw, columns }: Dataset, count: number): void {
  if (draw === undefined) return;
  const held = { option: "--count", count, thing: "point", each: columns.length * VALUE_BYTES };
  checkCountFits(held, machineMemory());
}

/** Data of unknown origin have no entropy: a kernel density of them has, and draws from it stand in for them. */
function kernelData(dataset: Dataset, run: OpenRun, { count, seed }: EvaluationDataOptions): EvaluationData {
  checkCountFits(
    { option: "--count", count, thing: "point", each: dataset.columns.length * VALUE_BYTES },
    machineMemory(),
  );
  const some = randomRows(dataset.points, KERNELS, new Random(seed, "metric"), 1);
  const mixture = kernelDensity(standardise(some, run.model.standardiser));
  const x0 = sampleMixture(mixture, count, new Random(seed, "data"));
  return { x0, mixture, note: `${counted(count, "draw")} from a kernel density of the data` };
}
