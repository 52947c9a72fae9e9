import { variationalBound } from "../../diffusion/bound.ts";
import type { ReverseVariance } from "../../diffusion/samplers/ddpm.ts";
import type { FirstLogVariance } from "../../diffusion/variance.ts";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { evaluationData } from "../../train/evaluation-data.node.ts";
import type { JobKind } from "../job.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";

/** What bound is measured, of a training job. */
export interface BoundConfig {
  /** Rows of fresh data. */
  readonly rows: number;
  readonly seed: number;
  /** σ² of the reverse steps; null for that of the model. */
  readonly variance: ReverseVariance | null;
  readonly first: FirstLogVariance;
  /** A number of steps of the shorter chain, spaced as ancestral sampling does; null for all. */
  readonly steps: number | null;
  /** Random steps at which each row is evaluated; null for all. */
  readonly stepsPerRow: number | null;
}

/** The bound in nats for a point, standardised. */
export interface BoundValues {
  readonly bound: number;
  readonly standardError: number;
  readonly prior: number;
  readonly reconstruction: number;
  /** t of each term that was evaluated, and its mean. */
  readonly steps: readonly number[];
  readonly terms: readonly number[];
}

/** The variational bound of a model on fresh data. Needs train. */
export const boundKind: JobKind<BoundConfig, BoundValues> = {
  name: "bound",
  version: 1,
  seconds: ({ rows, stepsPerRow, steps }, needs) =>
    0.5 + rows * (stepsPerRow ?? steps ?? trainingOf(needs).timesteps) * secondsOfRow(trainingOf(needs)),
  run: async (config, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { rows, seed, variance, first, steps, stepsPerRow } = config;
    const { x0 } = await evaluationData(run, { count: rows, seed, oracle: false });
    const bound = await withDenoiser(run, (denoiser) =>
      variationalBound({
        denoiser,
        schedule: run.schedule,
        x0,
        noise: new Random(seed, "bound"),
        variance: variance ?? run.variance,
        first,
        signal,
        onProgress: onShare,
        ...(steps !== null && { steps }),
        ...(stepsPerRow !== null && { stepsPerRow }),
      }),
    );
    return { values: boundValues(bound), arrays: {} };
  },
};

function boundValues({
  total,
  prior,
  reconstruction,
  terms,
}: Awaited<ReturnType<typeof variationalBound>>): BoundValues {
  const tried = terms.filter(({ rows }) => rows > 0);
  return {
    bound: total.mean,
    standardError: total.standardError,
    prior: prior.mean,
    reconstruction: reconstruction.mean,
    steps: tried.map(({ step }) => step),
    terms: tried.map(({ mean }) => mean),
  };
}
