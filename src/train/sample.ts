import { restoreConstants, unstandardise } from "../data/standardise.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { drawGroups, drawSamples, type DrawOptions } from "./draw-samples.ts";
import type { PointModel } from "./model.ts";

/** What sampling of points takes; steps are seen in standardised units. */
export type SampleOptions = DrawOptions;

/**
 * Draws points from a model.
 * @returns points [count, D] in the units of the data; columns that are the same in every row of the data are so exactly
 * @throws UnnoiseError `usage` for an option out of range, `device` when the device is not available, `interrupted` after
 * `signal`, `not-finite` when the network gives NaN
 */
export async function sample(model: PointModel, options: SampleOptions = {}): Promise<FloatTensor> {
  const { count = 1000 } = options;
  const drawn = unstandardise(await drawSamples(model, options, { count }), model.standardiser);
  return restoreConstants(drawn, model.standardiser);
}

/** Values in a group of points: some megabytes with what a sampler keeps beside them. */
const GROUP_VALUES = 2 ** 17;

/**
 * Draws points as `sample` does, the same bits, but gives them group by group, so that any number takes the memory of one group.
 * @returns points [n, D] of each group in the units of the data, `count` in all
 * @throws UnnoiseError as `sample`
 */
export async function* sampleGroups(model: PointModel, options: SampleOptions = {}): AsyncGenerator<FloatTensor> {
  const { count = 1000 } = options;
  const groupSize = Math.max(1, Math.floor(GROUP_VALUES / model.columns.length));
  for await (const group of drawGroups(model, options, { count, groupSize })) {
    yield unstandardise(group, model.standardiser);
  }
}
