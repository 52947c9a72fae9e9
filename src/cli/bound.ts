import { variationalBound, type NegativeLogLikelihood, type VariationalBound } from "../diffusion/bound.ts";
import { boundGap, type BoundGap } from "../diffusion/bound-gap.ts";
import type { BoundOptions } from "../diffusion/bound-options.ts";
import { edmSigma } from "../diffusion/noise-level.ts";
import { odeLikelihood, type OdeLikelihood } from "../diffusion/ode-likelihood.ts";
import type { GaussianMixture } from "../diffusion/oracles/mixture.ts";
import { trajectoryBound } from "../diffusion/trajectory-bound.ts";
import type { FixedVariance, FirstLogVariance } from "../diffusion/variance.ts";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { eventLoopPause } from "../train/event-loop.ts";
import { DenoiserSession } from "../train/model.ts";
import { VjpSession } from "../train/vjp-session.ts";
import { evaluationData } from "../train/evaluation-data.node.ts";
import type { OpenRun } from "../train/open-run.node.ts";
import { placementOf, type PlacementFlags } from "./placement.ts";

/** What `measureBound` takes. */
export interface BoundMeasureOptions extends PlacementFlags {
  /** Rows of data. */
  readonly count: number;
  readonly seed: number;
  readonly variance: FixedVariance | "learned";
  readonly first: FirstLogVariance;
  /** All T if absent. */
  readonly steps?: ArrayLike<number>;
  /** How x̂_0 is limited. */
  readonly limits: Pick<BoundOptions, "clip" | "threshold" | "epsAfterLimit">;
  /** Adds the likelihood by the probability-flow ODE. */
  readonly likelihood: boolean;
  /** Adds the parts of the gap to the entropy. */
  readonly oracle: boolean;
  /** Called with the share of the work that is done, in 0…1. */
  readonly onProgress?: (share: number) => void;
}

/** The likelihood by the ODE, and how it was found. */
export interface LikelihoodResult extends OdeLikelihood {
  /** Probes for each row, or the exact trace. */
  readonly trace: "exact" | number;
  /** Noise of the first step, which the density includes, in standardised units. */
  readonly sigma: number;
}

/** The bound of a run on data. */
export interface BoundReport {
  /** Where the data come from. */
  readonly note: string;
  readonly variance: string;
  readonly timesteps: number;
  readonly bound: VariationalBound;
  readonly chains: NegativeLogLikelihood;
  readonly likelihood?: LikelihoodResult;
  readonly gap?: BoundGap;
}

/** Up to so many values in a sample, the exact trace costs less than random probes of like precision. */
const EXACT_TRACE = 16;
const PROBES = 4;

/**
 * Measures the bound of a run in both forms, and what else was asked, on fresh data where the generator is known.
 * @throws UnnoiseError what networks and bounds throw
 */
export async function measureBound(run: OpenRun, options: BoundMeasureOptions): Promise<BoundReport> {
  const { x0, note, mixture } = await evaluationData(run, options);
  const session = new DenoiserSession(run.model, placementOf(options));
  const tell = sharesOf(options);
  const common = boundOptions(run, session, x0, options);
  try {
    const bound = await variationalBound({ ...common, onProgress: tell("bound") });
    const found = mixture ? await gapOf(common, mixture, options.seed, tell("chains")) : undefined;
    const chains = found?.bound ?? (await trajectoryBound({ ...common, onProgress: tell("chains") }));
    const asked = options.likelihood
      ? { likelihood: await likelihoodOf(run, common, options, tell("likelihood")) }
      : {};
    return {
      note,
      variance: options.variance,
      timesteps: run.schedule.timesteps,
      bound,
      chains,
      ...(found && { gap: found }),
      ...asked,
    };
  } finally {
    await session.dispose();
  }
}

function boundOptions(
  run: OpenRun,
  session: DenoiserSession,
  x0: FloatTensor,
  options: BoundMeasureOptions,
): BoundOptions {
  const { seed, variance, first, steps, limits } = options;
  const pause = eventLoopPause();
  return {
    denoiser: async (xt, step) => {
      await pause();
      return session.predict(xt, step);
    },
    schedule: run.schedule,
    x0,
    noise: new Random(seed, "bound"),
    scale: run.model.standardiser.scale,
    variance,
    first,
    ...(steps && { steps }),
    ...limits,
  };
}

function gapOf(
  options: BoundOptions,
  mixture: GaussianMixture,
  seed: number,
  onProgress: (share: number) => void,
): Promise<BoundGap> {
  return boundGap({ ...options, mixture, random: new Random(seed, "metric"), onProgress });
}

type Stage = "bound" | "chains" | "likelihood";

/** Turns the share of a stage into one of the whole, by about what each costs. */
function sharesOf({ likelihood, oracle, onProgress }: BoundMeasureOptions): (stage: Stage) => (share: number) => void {
  const costs: [Stage, number][] = [
    ["bound", 1],
    ["chains", oracle ? 10 : 1],
    ["likelihood", likelihood ? 5 : 0],
  ];
  const total = costs.reduce((sum, [, cost]) => sum + cost, 0);
  return (stage) => {
    const index = costs.findIndex(([name]) => name === stage);
    const before = costs.slice(0, index).reduce((sum, [, cost]) => sum + cost, 0);
    return (share) => onProgress?.((before + share * at(costs, index)[1]) / total);
  };
}

async function likelihoodOf(
  run: OpenRun,
  { x0, noise, schedule, scale, steps }: BoundOptions,
  placement: PlacementFlags,
  onProgress: (share: number) => void,
): Promise<LikelihoodResult> {
  const session = new VjpSession(run.model, placementOf(placement));
  const pause = eventLoopPause();
  const exact = run.model.columns.length <= EXACT_TRACE;
  try {
    const result = await odeLikelihood({
      denoiser: async (...asked) => {
        await pause();
        return session.predict(...asked);
      },
      schedule,
      x0,
      trace: exact ? "exact" : { probes: PROBES, noise },
      onProgress,
      ...(scale && { scale }),
      ...(steps !== undefined && { steps }),
    });
    const lowest = steps === undefined || typeof steps === "number" ? 0 : Math.min(...Array.from(steps));
    return { ...result, trace: exact ? "exact" : PROBES, sigma: edmSigma(schedule, lowest) };
  } finally {
    await session.dispose();
  }
}
