import type { GridSizes } from "./grid.ts";
import type { Scale, TrainingChoice } from "./study.ts";

/** What all models of studies that train many are trained with: less than the usual model. */
export const gridTraining: Readonly<Record<Scale, TrainingChoice>> = {
  quick: { iterations: 1000, batchSize: 128, learningRate: 1e-2, width: 64, depth: 3, dataSize: 20_000 },
  full: { iterations: 3000, batchSize: 256, learningRate: 5e-3, width: 64, depth: 3 },
};

/** Sizes of studies that train many models. */
export const gridSizes: Readonly<Record<Scale, GridSizes>> = {
  quick: { points: 500, bound: { rows: 64, stepsPerRow: null } },
  full: { points: 1000, bound: { rows: 250, stepsPerRow: null } },
};

/** How the loss at single steps is measured. */
export const stepLossSizes = { quick: { rows: 200, count: 12 }, full: { rows: 1000, count: 24 } } as const;
