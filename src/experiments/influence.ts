import { at } from "../math/error.ts";
import type { Random } from "../math/random.ts";
import type { Interval } from "../math/resampling.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { crossingTime } from "./decision-time.ts";
import { assignModes, type Modes } from "./modes.ts";
import {
  bootstrapWeights,
  distance,
  otherClass,
  pairMeans,
  pairSpread,
  percentileInterval,
  sharedFraction,
  squaredDistance,
  type PairSpread,
} from "./shared-fraction.ts";

/** A number from a sample of states, with its 95 % interval over such samples. */
export interface Estimate extends Interval {
  readonly value: number;
}

/** How much states say of ends, at each time. */
export interface Influence {
  /** 1 − E Var(x_0|x_t)/Var(x_0). */
  readonly variance: readonly Estimate[];
  /** 1 − E‖x − x′‖ of one state/E‖x − y‖ of two. */
  readonly distance: readonly Estimate[];
  /** (P(same mode) − chance)/(1 − chance). */
  readonly agreement: readonly Estimate[];
  /** P(two continuations of one state end in one mode). */
  readonly sameMode: readonly number[];
  /** P(those of two states do). */
  readonly chance: readonly number[];
  /** t at which the agreement is ½, coming down from 1 at t = 0. */
  readonly decision: Estimate;
}

/** Ends of continuations, and how to compare them. */
export interface InfluenceOptions {
  /** t, ascending. */
  readonly times: readonly number[];
  /** Ends `[states · repeats, D]` of continuations from each time, standardised; the runs are the same at all times. */
  readonly ends: readonly FloatTensor[];
  readonly modes: Modes;
  readonly states: number;
  readonly repeats: number;
  /** Bootstrap samples of the runs. */
  readonly replicates: number;
  readonly random: Random;
}

/** How much the states at each time say of the ends, in three ways; intervals by the bootstrap over runs. */
export function influenceOf({ times, ends, modes, ...options }: InfluenceOptions): Influence {
  const { states, replicates, random } = options;
  const weights = Array.from({ length: replicates }, (_, replicate) => bootstrapWeights(states, random, replicate));
  const spreads = ends.map((rows) => {
    const width = at(rows.shape, 1);
    return {
      variance: pairSpread(options, squaredDistance(rows.data, width)),
      distance: pairSpread(options, distance(rows.data, width)),
      agreement: pairSpread(options, otherClass(assignModes(modes, rows))),
    };
  });
  const of = (key: keyof (typeof spreads)[number]) => spreads.map((each) => estimated(each[key], weights));
  const agreement = of("agreement");
  const means = spreads.map((each) => pairMeans(each.agreement));
  return {
    variance: of("variance").map(({ estimate }) => estimate),
    distance: of("distance").map(({ estimate }) => estimate),
    agreement: agreement.map(({ estimate }) => estimate),
    sameMode: means.map(({ within }) => 1 - within),
    chance: means.map(({ across }) => 1 - across),
    decision: decisionOf(times, agreement),
  };
}

interface Estimated {
  readonly estimate: Estimate;
  /** The estimate of each bootstrap sample. */
  readonly replicates: readonly number[];
}

function estimated(spread: PairSpread, weights: readonly Float64Array[]): Estimated {
  const replicates = weights.map((each) => sharedFraction(spread, each));
  return { estimate: { value: sharedFraction(spread), ...percentileInterval(replicates) }, replicates };
}

/** Runs are drawn once for all times, as a run that decides early does so at all of them. */
function decisionOf(times: readonly number[], agreement: readonly Estimated[]): Estimate {
  const crossing = (shareOf: (each: Estimated) => number): number => crossingTime(times, agreement.map(shareOf));
  const count = at(agreement, 0).replicates.length;
  const replicates = Array.from({ length: count }, (_, i) => crossing((each) => at(each.replicates, i)));
  return { value: crossing(({ estimate }) => estimate.value), ...percentileInterval(replicates) };
}
