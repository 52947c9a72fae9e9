import { qSample } from "../../diffusion/forward.ts";
import { mixtureDenoiser } from "../../diffusion/oracles/mixture-denoiser.ts";
import { bayesLoss } from "../../diffusion/oracles/mixture-draws.ts";
import { at, invariant } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import type { MeanEstimate } from "../../math/running-mean.ts";
import { floatTensor } from "../../tensor/tensor.ts";
import { evaluationData } from "../../train/evaluation-data.node.ts";
import { denoiserError, epsOf, type DenoiserError } from "../denoiser-error.ts";
import { checkGoingOn } from "../going-on.ts";
import type { JobKind } from "../job.ts";
import { runOf, secondsOfRow, trainingOf } from "./train.node.ts";
import { withDenoiser } from "./with-denoiser.node.ts";

/** When, and from how many draws. */
export interface ScoreErrorConfig {
  /** t in 1…T. */
  readonly times: readonly number[];
  readonly rows: number;
  readonly seed: number;
}

/** One time of a comparison. */
export interface ScoreErrorAt extends DenoiserError {
  readonly t: number;
  readonly alphaCumprod: number;
  /** E‖ε − ε*‖²/D, which no network can avoid. */
  readonly bayes: MeanEstimate;
}

/** How far the learned score is from the exact one. */
export interface ScoreErrorValues {
  readonly times: readonly ScoreErrorAt[];
  /** Where the exact distribution comes from. */
  readonly note: string;
}

const SECONDS_PER_DRAW = 6e-5;

/** Error of the learned score over q(x_t), beside the losses. Needs train. */
export const scoreErrorKind: JobKind<ScoreErrorConfig, ScoreErrorValues> = {
  name: "score-error",
  version: 1,
  seconds: ({ times, rows }, needs) => 0.3 + times.length * rows * (SECONDS_PER_DRAW + secondsOfRow(trainingOf(needs))),
  run: async ({ times, rows, seed }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { schedule } = run;
    const { x0, mixture, note } = await evaluationData(run, { count: rows, seed: seed + FRESH_SEED, oracle: true });
    invariant(mixture, "an oracle was asked");
    const exact = mixtureDenoiser(mixture, schedule);
    const found: ScoreErrorAt[] = [];
    await withDenoiser(run, async (denoiser) => {
      for (const [index, t] of times.entries()) {
        checkGoingOn(signal);
        const eps = floatTensor(new Float32Array(x0.data.length), x0.shape);
        new Random(seed, "noise").normals(eps.data, mixture.width, 0, t);
        const xt = qSample(x0, eps, schedule, t - 1);
        const learned = await epsOf(denoiser, schedule, xt, t - 1);
        const bayes = bayesLoss(mixture, schedule, t - 1, { count: rows, random: new Random(seed, "metric") });
        const alphaCumprod = at(schedule.alphasCumprod, t - 1);
        found.push({ t, alphaCumprod, bayes, ...denoiserError(learned, eps, exact(xt, t - 1)) });
        onShare((index + 1) / times.length);
      }
    });
    return { values: { times: found, note }, arrays: {} };
  },
};

/** Keeps the data of the comparison apart from those of samples. */
const FRESH_SEED = 3000;
