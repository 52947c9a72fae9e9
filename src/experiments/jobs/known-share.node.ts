import { qSample } from "../../diffusion/forward.ts";
import { mixturePosteriorTrace } from "../../diffusion/oracles/mixture-denoiser.ts";
import { at, invariant } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { meanOf } from "../../math/running-mean.ts";
import { floatTensor } from "../../tensor/tensor.ts";
import { eventLoopPause } from "../../train/event-loop.ts";
import { evaluationData } from "../../train/evaluation-data.node.ts";
import { checkGoingOn } from "../going-on.ts";
import type { JobKind } from "../job.ts";
import { mixtureVariance } from "../mixture-variance.ts";
import { runOf } from "./train.node.ts";

/** When, and from how many draws. */
export interface KnownShareConfig {
  /** t, 1…T. */
  readonly times: readonly number[];
  readonly draws: number;
  readonly seed: number;
}

/** What noised data say of the data. */
export interface KnownShareValues {
  /** 1 − E tr Cov(x_0|x_t)/tr Cov(x_0) at each time. */
  readonly shares: readonly number[];
  readonly standardErrors: readonly number[];
  /** Where the distribution of the data comes from. */
  readonly note: string;
}

const SECONDS_PER_DRAW = 3e-5;

/** The share of the variance of the data that x_t explains in the exact process: that of perfect ancestral sampling. Needs train. */
export const knownShareKind: JobKind<KnownShareConfig, KnownShareValues> = {
  name: "known-share",
  version: 1,
  seconds: ({ times, draws }) => 0.3 + times.length * draws * SECONDS_PER_DRAW,
  run: async ({ times, draws, seed }, { needs, signal, onShare }) => {
    const run = await runOf(at(needs, 0));
    const { x0, mixture, note } = await evaluationData(run, { count: draws, seed, oracle: true });
    invariant(mixture, "an oracle was asked");
    const total = mixtureVariance(mixture);
    const random = new Random(seed, "noise");
    const pause = eventLoopPause();
    const spreads = [];
    for (const [index, t] of times.entries()) {
      await pause();
      checkGoingOn(signal);
      const eps = new Float32Array(x0.data.length);
      random.normals(eps, mixture.width, 0, t);
      const xt = qSample(x0, floatTensor(eps, x0.shape), run.schedule, t - 1);
      spreads.push(meanOf(mixturePosteriorTrace(mixture, run.schedule, xt, t - 1)));
      onShare((index + 1) / times.length);
    }
    const shares = spreads.map(({ mean }) => 1 - mean / total);
    return { values: { shares, standardErrors: spreads.map((each) => each.standardError / total), note }, arrays: {} };
  },
};
