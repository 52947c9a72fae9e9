import { takeRows } from "../../data/rows.ts";
import { qSample } from "../../diffusion/forward.ts";
import { mixtureLogDensity, mixtureScore } from "../../diffusion/oracles/mixture-denoiser.ts";
import type { GaussianMixture } from "../../diffusion/oracles/mixture.ts";
import type { Denoiser } from "../../diffusion/sampler.ts";
import type { NoiseSchedule } from "../../diffusion/schedule.ts";
import { at, invariant } from "../../math/error.ts";
import { quantile } from "../../math/quantile.ts";
import { Random } from "../../math/random.ts";
import { floatTensor, type FloatTensor } from "../../tensor/tensor.ts";
import { evaluationData } from "../../train/evaluation-data.node.ts";
import { epsOf } from "../denoiser-error.ts";
import { checkGoingOn } from "../going-on.ts";
import type { Arrays, JobKind } from "../job.ts";
import { runOf } from "./train.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";

/** Where and when fields are asked for. */
export interface ScoreFieldConfig {
  /** t in 1…T. */
  readonly times: readonly number[];
  /** Arrows along each side of the region that holds the noised points. */
  readonly side: number;
  /** Places with less than this share of the highest density of x_t among them are left out. */
  readonly leastDensity: number;
  /** Noised points beside the arrows. */
  readonly points: number;
  readonly seed: number;
}

/** What the fields are of. */
export interface ScoreFieldValues {
  /** Whether the data lie in a plane; other data have no picture of their field. */
  readonly inPlane: boolean;
  readonly alphasCumprod: readonly number[];
  readonly note: string;
}

const SECONDS_PER_PLACE = 1e-4;

/**
 * The learned and the exact score ∇ log q(x_t) on a grid, in standardised units: for the n-th time the arrays `places-n`, `learned-n` and
 * `exact-n` `[m, 2]`, and `points-n`, some x_t. Needs train.
 */
export const scoreFieldKind: JobKind<ScoreFieldConfig, ScoreFieldValues> = {
  name: "score-field",
  version: 1,
  seconds: ({ times, side }) => 0.3 + times.length * side ** 2 * SECONDS_PER_PLACE,
  run: async (config, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { schedule } = run;
    const { points: count, seed, times } = config;
    const { x0, mixture, note } = await evaluationData(run, { count, seed, oracle: true });
    invariant(mixture, "an oracle was asked");
    const alphasCumprod = times.map((t) => at(schedule.alphasCumprod, t - 1));
    const values = { inPlane: mixture.width === 2, alphasCumprod, note };
    if (!values.inPlane) return { values, arrays: {} };
    const arrays = await withDenoiser(run, async (denoiser) => {
      const all: Record<string, FloatTensor> = {};
      for (const [index, t] of times.entries()) {
        checkGoingOn(signal);
        const field = await fieldAt({ config, denoiser, schedule, mixture, x0 }, t);
        for (const [name, array] of Object.entries(field)) all[`${name}-${index}`] = array;
        onShare((index + 1) / times.length);
      }
      return all;
    });
    return { values, arrays };
  },
};

interface Asked {
  readonly config: ScoreFieldConfig;
  readonly denoiser: Denoiser;
  readonly schedule: NoiseSchedule;
  readonly mixture: GaussianMixture;
  readonly x0: FloatTensor;
}

async function fieldAt({ config, denoiser, schedule, mixture, x0 }: Asked, t: number): Promise<Arrays> {
  const eps = floatTensor(new Float32Array(x0.data.length), x0.shape);
  new Random(config.seed, "noise").normals(eps.data, mixture.width, 0, t);
  const points = qSample(x0, eps, schedule, t - 1);
  const places = denseRows(gridAround(points, config.side), config.leastDensity, (grid) =>
    mixtureLogDensity(mixture, schedule, grid, t - 1),
  );
  const noise = Math.sqrt(at(schedule.noiseVariances, t - 1));
  const said = await epsOf(denoiser, schedule, places, t - 1);
  const learned = floatTensor(
    said.data.map((value) => -value / noise),
    said.shape,
  );
  return { places, learned, exact: mixtureScore(mixture, schedule, places, t - 1), points };
}

/** Share of the points beyond each edge of the region before it is widened. */
const TAIL = 0.005;
const WIDENING = 0.1;

/** Middles of side × side cells of the region that holds nearly all points. */
function gridAround({ data }: FloatTensor, side: number): FloatTensor {
  const edges = [0, 1].map((column) => {
    const values = data.filter((_, i) => i % 2 === column);
    const [low, high] = [quantile(values, TAIL), quantile(values, 1 - TAIL)];
    return { low: low - WIDENING * (high - low), span: (1 + 2 * WIDENING) * (high - low) };
  });
  const place = (column: number, cell: number): number =>
    at(edges, column).low + ((cell + 0.5) / side) * at(edges, column).span;
  const cells = Array.from({ length: side * side }, (_, i) => [place(0, i % side), place(1, Math.floor(i / side))]);
  return floatTensor(cells.flat(), [side * side, 2]);
}

/** The rows whose density is at least a share of the largest. */
function denseRows(grid: FloatTensor, least: number, logDensityOf: (grid: FloatTensor) => Float64Array): FloatTensor {
  const logDensity = logDensityOf(grid);
  const floor = logDensity.reduce((most, value) => Math.max(most, value), -Infinity) + Math.log(least);
  const rows = Array.from(logDensity.keys()).filter((row) => at(logDensity, row) >= floor);
  return takeRows(grid, rows);
}
