import { isToyName } from "../../data/toy.ts";
import { qSample } from "../../diffusion/forward.ts";
import { bayesLoss } from "../../diffusion/oracles/mixture-draws.ts";
import { mixtureDenoiser } from "../../diffusion/oracles/mixture-denoiser.ts";
import type { GaussianMixture } from "../../diffusion/oracles/mixture.ts";
import { conversionOf, type LinearForm } from "../../diffusion/parameterisation.ts";
import type { Denoiser } from "../../diffusion/sampler.ts";
import { alphaCumprodAt, noiseVarianceAt, type NoiseSchedule } from "../../diffusion/schedule.ts";
import { UnnoiseError, at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { RunningMean, type MeanEstimate } from "../../math/running-mean.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { evaluationData } from "../../train/evaluation-data.node.ts";
import { DenoiserSession } from "../../train/model.ts";
import { jobOf, type Job, type JobKind } from "../job.ts";
import type { StepLossValues } from "../step-loss.ts";
import { runOf, secondsOfRow, trainingOf, type TrainValues } from "./train.node.ts";

/** At which steps and rows a training job's model is tried. */
export interface StepLossConfig {
  /** Rows of fresh data, the same at every step. */
  readonly rows: number;
  /** Steps, closer to each other near the data; at most T are taken. */
  readonly count: number;
  readonly seed: number;
}

const BAYES_DRAWS = 100;

/** Errors of a model's ε̂ and x̂_0 at single steps, beside the least that are possible. Needs train. */
export const stepLossKind: JobKind<StepLossConfig, StepLossValues> = {
  name: "step-loss",
  version: 3,
  seconds: ({ rows, count }, needs) => 0.2 + rows * count * secondsOfRow(trainingOf(needs)),
  run: async ({ rows, count, seed }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const oracle = isToyName((await run.folder.config()).data);
    const { x0, mixture } = await evaluationData(run, { count: rows, seed, oracle });
    const steps = quadraticSteps(run.schedule.timesteps, count);
    const session = new DenoiserSession(run.model, { device: "cpu", threads: 1 });
    const found: StepErrors[] = [];
    try {
      for (const step of steps) {
        if (signal.aborted) throw new UnnoiseError("interrupted", "per-step loss: interrupted");
        found.push(await errorsAt({ denoiser: session.predict, schedule: run.schedule, x0, mixture, seed }, step));
        onShare(found.length / steps.length);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    } finally {
      await session.dispose();
    }
    return {
      values: { ...valuesOf(found, run.schedule, steps), ...bayesAt(mixture, run.schedule, steps, seed) },
      arrays: {},
    };
  },
};

/** Keeps fresh data apart from those of metrics and bounds. */
const FRESH_SEED = 2000;

/** The loss of a training job's model at single steps. */
export function stepLossJob(
  train: Job<TrainValues>,
  sizes: Pick<StepLossConfig, "rows" | "count">,
): Job<StepLossValues> {
  const seed = trainingOf([train]).seed + FRESH_SEED;
  return jobOf(stepLossKind, { ...sizes, seed }, `loss at single steps after ${train.label}`, [train]);
}

/** Steps round((T − 1)·(i/(n − 1))²), each once. */
function quadraticSteps(timesteps: number, count: number): number[] {
  const last = Math.max(1, count - 1);
  const all = Array.from({ length: count }, (_, i) => Math.round((timesteps - 1) * (i / last) ** 2));
  return [...new Set(all)];
}

interface StepErrors {
  readonly eps: MeanEstimate;
  readonly x0: MeanEstimate;
  readonly excess: number | undefined;
}

interface Trial {
  readonly denoiser: Denoiser;
  readonly schedule: NoiseSchedule;
  readonly x0: FloatTensor;
  readonly mixture: GaussianMixture | undefined;
  readonly seed: number;
}

async function errorsAt({ denoiser, schedule, x0, mixture, seed }: Trial, step: number): Promise<StepErrors> {
  const noise = new Float32Array(x0.data.length);
  const width = noise.length / at(x0.shape, 0);
  new Random(seed, "bound").normals(noise, width, 0, step);
  const xt = qSample(x0, { ...x0, data: noise }, schedule, step);
  const said = await denoiser(xt, step);
  const { parameterisation, output } = "output" in said ? said : { parameterisation: "eps" as const, output: said };
  const form = conversionOf(parameterisation, schedule, step);
  const error = (truth: Float32Array, of: LinearForm): MeanEstimate =>
    squaredError(truth, of, xt.data, output.data, width);
  const best = mixture && mixtureDenoiser(mixture, schedule)(xt, step).data;
  return { eps: error(noise, form.eps), x0: error(x0.data, form.x0), excess: best && error(best, form.eps).mean };
}

/** Mean over rows of the squared error per value. */
function squaredError(
  truth: Float32Array,
  { xt: ofXt, output: ofOutput }: LinearForm,
  xt: Float32Array,
  output: Float32Array,
  width: number,
): MeanEstimate {
  const mean = new RunningMean();
  for (let first = 0; first < truth.length; first += width) {
    let sum = 0;
    for (let i = first; i < first + width; i++) {
      const guess = ofXt * (xt[i] as number) + ofOutput * (output[i] as number);
      sum += ((truth[i] as number) - guess) ** 2;
    }
    mean.add(sum / width);
  }
  return mean.estimate();
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

function valuesOf(
  found: readonly StepErrors[],
  schedule: NoiseSchedule,
  steps: readonly number[],
): Omit<StepLossValues, "bayesEps" | "bayesX0"> {
  const excess = found.flatMap((each) => each.excess ?? []);
  return {
    t: steps.map((step) => step + 1),
    timesteps: schedule.timesteps,
    alphasCumprod: steps.map((step) => alphaCumprodAt(schedule, step)),
    eps: found.map(({ eps }) => eps.mean),
    epsError: found.map(({ eps }) => eps.standardError),
    x0: found.map(({ x0 }) => finiteOrNull(x0.mean)),
    x0Error: found.map(({ x0 }) => finiteOrNull(x0.standardError)),
    excess: excess.length === found.length ? excess : null,
  };
}

/** Errors of ε and x̂_0 differ by (1 − ᾱ)/ᾱ. */
function bayesAt(
  mixture: GaussianMixture | undefined,
  schedule: NoiseSchedule,
  steps: readonly number[],
  seed: number,
): Pick<StepLossValues, "bayesEps" | "bayesX0"> {
  if (!mixture) return { bayesEps: null, bayesX0: null };
  const random = new Random(seed, "metric");
  const bayesEps = steps.map((step) => bayesLoss(mixture, schedule, step, { count: BAYES_DRAWS, random }).mean);
  const bayesX0 = bayesEps.map((loss, i) => {
    const step = at(steps, i);
    return finiteOrNull((loss * noiseVarianceAt(schedule, step)) / alphaCumprodAt(schedule, step));
  });
  return { bayesEps, bayesX0 };
}
