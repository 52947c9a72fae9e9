import { fitStandardiser, standardise } from "../../data/standardise.ts";
import { measureFloors, type Floors } from "../../metrics/evaluate.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import type { TrainingConfig } from "../../train/config.ts";
import { realPoints } from "../../train/real-points.ts";
import { openSource } from "../data-file.node.ts";
import type { DataSource } from "../data-source.ts";
import type { JobKind } from "../job.ts";

/** What floors are measured on. */
export interface FloorsConfig extends DataSource, Pick<TrainingConfig, "dataNoise" | "dataSize" | "seed"> {
  /** Points in each set. */
  readonly count: number;
}

/** Floors of the metrics, and where they come from. */
export interface FloorsValues {
  readonly floors: Floors;
  readonly count: number;
  readonly note: string;
}

/** What data reach against data by every metric, standardised; leaves the array `reference` for samples. */
export const floorsKind: JobKind<FloorsConfig, FloorsValues> = {
  name: "floors",
  version: 1,
  seconds: ({ count }) => 3 * (count / 2000) ** 2,
  run: async (config, { signal, onShare }) => {
    const { seed } = config;
    const dataset = await openSource(config);
    const standardiser = fitStandardiser(dataset.points);
    const scaled = (points: FloatTensor): FloatTensor => standardise(points, standardiser);
    const { count, note, ...real } = realPoints(dataset, config.count, seed);
    const reference = scaled(real.reference);
    const floors = await measureFloors({
      reference,
      floorPairs: real.floorPairs.map(([a, b]) => [scaled(a), scaled(b)] as const),
      seed,
      signal,
      onProgress: ({ done, total }) => onShare(done / total),
    });
    return { values: { floors, count, note }, arrays: { reference } };
  },
};
