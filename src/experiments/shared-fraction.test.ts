import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { meanOf } from "../math/running-mean.ts";
import {
  bootstrapWeights,
  distance,
  otherClass,
  pairMeans,
  pairSpread,
  percentileInterval,
  sharedFraction,
  squaredDistance,
  type Continuations,
  type PairSpread,
} from "./shared-fraction.ts";

const WIDTH = 2;
const SIGNAL = 0.6;
const NOISE = 0.8;
/** 0.36 of the variance of a·s + b·z comes from s. */
const TRUTH = SIGNAL ** 2 / (SIGNAL ** 2 + NOISE ** 2);

/** Ends a·s + b·z of states s ~ N(0, I) with fresh z ~ N(0, I). */
function linearGaussian({ states, repeats }: Continuations, world: number): Float64Array {
  const s = new Float64Array(states * WIDTH);
  const z = new Float64Array(states * repeats * WIDTH);
  new Random(11, "start").normals(s, WIDTH, 0, world);
  new Random(11, "noise").normals(z, WIDTH, 0, world);
  return z.map((value, i) => {
    const state = Math.floor(i / (repeats * WIDTH));
    return NOISE * value + SIGNAL * (s[state * WIDTH + (i % WIDTH)] ?? 0);
  });
}

const spreadOf = (shape: Continuations, world: number): PairSpread =>
  pairSpread(shape, squaredDistance(linearGaussian(shape, world), WIDTH));

/** The textbook's estimator: mean squares between and within. */
function analysisOfVariance(
  values: Float64Array,
  { states, repeats }: Continuations,
): { between: number; within: number } {
  let [between, within] = [0, 0];
  for (let d = 0; d < WIDTH; d++) {
    const groups = Array.from({ length: states }, (_, i) =>
      meanOf(Array.from({ length: repeats }, (__, r) => values[(i * repeats + r) * WIDTH + d] ?? 0)),
    );
    within += meanOf(groups.map(({ variance }) => variance)).mean;
    between += meanOf(groups.map(({ mean }) => mean)).variance;
  }
  return { between: between - within / repeats, within };
}

describe("pairs of continuations", () => {
  it("give the estimator of a one-way analysis of variance", () => {
    const shape = { states: 17, repeats: 5 };
    const { between, within } = analysisOfVariance(linearGaussian(shape, 0), shape);
    const means = pairMeans(spreadOf(shape, 0));
    expect(means.within / 2).toBeCloseTo(within, 12);
    expect(means.across / 2).toBeCloseTo(between + within, 12);
    expect(sharedFraction(spreadOf(shape, 0))).toBeCloseTo(between / (between + within), 12);
  });

  it("count a state as often as its weight says, and never against its copies", () => {
    const shape = { states: 3, repeats: 2 };
    const rows = Float64Array.of(0, 2, 1, 1, 5, 9);
    const spread = pairSpread(shape, distance(rows, 1));
    const across = [(1 + 1 + 1 + 1) / 4, (5 + 9 + 3 + 7) / 4, (4 + 8 + 4 + 8) / 4];
    const { within, across: mean } = pairMeans(spread, Float64Array.of(2, 1, 1));
    expect(within).toBeCloseTo((2 * 2 + 0 + 4) / 4, 12);
    expect(mean).toBeCloseTo((2 * (across[0] ?? 0) + 2 * (across[1] ?? 0) + (across[2] ?? 0)) / 5, 12);
  });

  it("of one class or equal ends say 0 or 1", () => {
    const shape = { states: 4, repeats: 3 };
    const whole = Int32Array.from({ length: 12 }, (_, row) => Math.floor(row / 3));
    expect(sharedFraction(pairSpread(shape, otherClass(whole)))).toBe(1);
    expect(sharedFraction(pairSpread(shape, otherClass(new Int32Array(12))))).toBe(0);
  });
});

describe("the shared fraction of a linear Gaussian model", () => {
  const shape = { states: 60, repeats: 4 };
  const worlds = Array.from({ length: 200 }, (_, world) => spreadOf(shape, world));

  it("rests on means without bias; without the correction for few continuations it misses", () => {
    const within = meanOf(worlds.map((each) => pairMeans(each).within));
    const across = meanOf(worlds.map((each) => pairMeans(each).across));
    expect(Math.abs(within.mean - 2 * WIDTH * NOISE ** 2)).toBeLessThan(4 * within.standardError);
    expect(Math.abs(across.mean - 2 * WIDTH)).toBeLessThan(4 * across.standardError);
    const fraction = meanOf(worlds.map((each) => sharedFraction(each)));
    // A ratio of means over M states is off by about 1/M of its own size.
    const bias = TRUTH / shape.states;
    expect(Math.abs(fraction.mean - TRUTH)).toBeLessThan(4 * fraction.standardError + bias);
    const naive = worlds.map((each) => {
      const means = pairMeans(each);
      return 1 - (means.within * (1 - 1 / shape.repeats)) / means.across;
    });
    expect(Math.abs(meanOf(naive).mean - TRUTH)).toBeGreaterThan(4 * fraction.standardError + bias);
  });

  it("lies in its 95 % bootstrap interval about as often as that says; in its 50 % interval it does not", () => {
    const random = new Random(5, "metric");
    const draws = Array.from({ length: 200 }, (_, replicate) => bootstrapWeights(shape.states, random, replicate));
    const replicates = worlds.map((each) => draws.map((weights) => sharedFraction(each, weights)));
    const coverage = (confidence: number): number =>
      replicates.filter((values) => {
        const { low, high } = percentileInterval(values, confidence);
        return low <= TRUTH && TRUTH <= high;
      }).length / worlds.length;
    const error = Math.sqrt((0.95 * 0.05) / worlds.length);
    // Percentile intervals of 60 states are known to be a little short: by up to some 3 %.
    expect(coverage(0.95)).toBeGreaterThan(0.95 - 0.03 - 4 * error);
    expect(coverage(0.5)).toBeLessThan(0.95 - 0.03 - 4 * error);
  });

  it("is the share of classes that agree beyond chance", () => {
    const [states, repeats, loyalty] = [400, 4, 0.7];
    const draws = new Float64Array(states * repeats * 3);
    new Random(3, "metric").uniforms(draws, 3);
    // An end takes the state's class with probability `loyalty`, else a class by chance.
    const own = Int32Array.from({ length: states }, (_, i) => Math.floor(5 * (draws[i * repeats * 3] ?? 0)));
    const classes = Int32Array.from({ length: states * repeats }, (_, row) => {
      const loyal = (draws[row * 3 + 1] ?? 0) < loyalty;
      return loyal ? (own[Math.floor(row / repeats)] ?? 0) : Math.floor(5 * (draws[row * 3 + 2] ?? 0));
    });
    const spread = pairSpread({ states, repeats }, otherClass(classes));
    // Both of a pair are loyal with probability loyalty²; all other pairs agree by chance.
    const error = Math.sqrt(meanOf(spread.within).variance / states) / (1 - 1 / 5);
    expect(Math.abs(sharedFraction(spread) - loyalty ** 2)).toBeLessThan(4 * error);
    expect(Math.abs(sharedFraction(spread) - loyalty)).toBeGreaterThan(4 * error);
  });
});

describe("bootstrap samples", () => {
  it("draw as many states as there are, each sample others", () => {
    const random = new Random(1, "metric");
    const [a, b] = [bootstrapWeights(50, random, 0), bootstrapWeights(50, random, 1)];
    expect(a.reduce((sum, weight) => sum + weight, 0)).toBe(50);
    expect(Array.from(a)).not.toEqual(Array.from(b));
    expect(Array.from(bootstrapWeights(50, random, 0))).toEqual(Array.from(a));
  });

  it("have quantiles that are linear between values", () => {
    expect(percentileInterval([3, 1, 2, 5, 4], 0.9)).toEqual({ low: 1.2, high: 4.8 });
  });
});
