import { unstandardise, type Standardiser } from "../../data/standardise.ts";
import { qSample } from "../../diffusion/forward.ts";
import { mixtureLogDensity } from "../../diffusion/oracles/mixture-denoiser.ts";
import type { GaussianMixture } from "../../diffusion/oracles/mixture.ts";
import { alphaCumprodAt, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import type { JobKind } from "../job.ts";
import { densityOf, openProcess, planeOfMixture, type OpenProcess, type ProcessConfig } from "../process.node.ts";

/** What of a forward process is kept. */
export interface ForwardStatesConfig {
  readonly process: ProcessConfig;
  /** t of each state, 0…T. */
  readonly times: readonly number[];
  readonly points: number;
  /** Cells of the densities along each axis; null for no densities. */
  readonly cells: number | null;
}

type Extent = readonly [number, number];

/** The extents of a density, data units. */
export interface Extents {
  readonly x: Extent;
  readonly y: Extent;
}

/** What else is said of the states. */
export interface ForwardStatesValues {
  readonly columns: readonly string[];
  readonly alphasCumprod: readonly number[];
  /** Where the densities lie; null where there are none, as for data of one column. */
  readonly extents: Extents | null;
}

/**
 * The same points and their noise at chosen times, and the density of the first two columns: leaves `states` `[times, points, D]` and
 * `densities` `[times, cells², row 0 lowest]`, both in data units.
 */
export const forwardStatesKind: JobKind<ForwardStatesConfig, ForwardStatesValues> = {
  name: "forward-states",
  version: 1,
  seconds: ({ times, cells, points }) => 0.3 + times.length * ((cells ?? 0) ** 2 * 1e-5 + points * 1e-6),
  run: async ({ process, times, points, cells }, { onShare }) => {
    const open = await openProcess(process);
    const x0 = open.draw(points, 0);
    const extents = open.width < 2 || cells === null ? null : extentsOf(x0, open.standardiser);
    const states = statesOf(x0, times, open, new Random(process.seed, "figure"));
    const density = densityOf(process, open);
    const densities = times.map((t, index) => {
      onShare(index / times.length);
      return extents && cells !== null ? densityAt(planeOfMixture(density(t - 1)), t, { ...open, extents, cells }) : [];
    });
    return {
      values: {
        columns: open.dataset.columns,
        alphasCumprod: times.map((t) => alphaCumprodAt(open.schedule, t - 1)),
        extents,
      },
      arrays: {
        states,
        ...(extents && { densities: floatTensor(densities.flat(), [times.length, (cells ?? 0) ** 2]) }),
      },
    };
  },
};

function statesOf(
  x0: FloatTensor,
  times: readonly number[],
  { schedule, standardiser, width }: OpenProcess,
  random: Random,
): FloatTensor {
  const eps = floatTensor(new Float32Array(x0.data.length), x0.shape);
  random.normals(eps.data, width);
  const out = new Float32Array(times.length * x0.data.length);
  times.forEach((t, index) => {
    const xt = t === 0 ? x0 : qSample(x0, eps, schedule, t - 1);
    out.set(unstandardise(xt, standardiser).data, index * x0.data.length);
  });
  return floatTensor(out, [times.length, ...x0.shape]);
}

/** Standard deviations of noise that a picture has room for. */
const NOISE_REACH = 2.8;

/** Room for the data and the noise that they become. */
function extentsOf(x0: FloatTensor, { mean, scale }: Standardiser): Extents {
  const width = at(x0.shape, 1);
  const extent = (column: number): Extent => {
    const values = x0.data.filter((_, i) => i % width === column);
    const reach = (sign: number): number => values.reduce((most, value) => Math.max(most, sign * value), NOISE_REACH);
    return [at(mean, column) - reach(-1) * at(scale, column), at(mean, column) + reach(1) * at(scale, column)];
  };
  return { x: extent(0), y: extent(1) };
}

interface Grid {
  readonly schedule: NoiseSchedule;
  readonly standardiser: Standardiser;
  readonly extents: Extents;
  readonly cells: number;
}

/** Density of x_t at the middles of the cells, per unit of area of the data. */
function densityAt(mixture: GaussianMixture, t: number, { schedule, standardiser, extents, cells }: Grid): number[] {
  const { mean, scale } = standardiser;
  const middle = ([low, high]: Extent, cell: number, column: number): number =>
    (low + ((high - low) * (cell + 0.5)) / cells - at(mean, column)) / at(scale, column);
  const xs = Array.from({ length: cells }, (_, cell) => middle(extents.x, cell, 0));
  const ys = Array.from({ length: cells }, (_, cell) => middle(extents.y, cell, 1));
  const points = floatTensor(
    ys.flatMap((y) => xs.flatMap((x) => [x, y])),
    [cells ** 2, 2],
  );
  const area = at(scale, 0) * at(scale, 1);
  return Array.from(mixtureLogDensity(mixture, schedule, points, t - 1), (value) => Math.exp(value) / area);
}
