import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { meanOf } from "../math/running-mean.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { variationalBound } from "./bound.ts";
import { boundGap, type BoundGapOptions } from "./bound-gap.ts";
import { mixtureDenoiser } from "./oracles/mixture-denoiser.ts";
import { mixtureEntropy, sampleMixture } from "./oracles/mixture-draws.ts";
import { gaussianMixture } from "./oracles/mixture.ts";
import type { Denoiser } from "./sampler.ts";
import { linearSchedule, snr } from "./schedule.ts";

const mixture = gaussianMixture({
  means: [
    [-1, 0],
    [1, 0.5],
  ],
  covariances: [0.04],
});
const schedule = linearSchedule({ timesteps: 30, betaStart: 0.004, betaEnd: 0.4 });
const oracle = mixtureDenoiser(mixture, schedule);
const options: BoundGapOptions = {
  denoiser: oracle,
  schedule,
  mixture,
  x0: sampleMixture(mixture, 1500, new Random(1, "data")),
  noise: new Random(2, "bound"),
  random: new Random(3, "metric"),
};

/** The oracle, off by `by` in every value of ε. */
const shifted =
  (by: number): Denoiser =>
  (xt, step) => {
    const eps = oracle(xt, step);
    return { ...eps, data: eps.data.map((value) => value + by) };
  };

describe("gap between bound and entropy", () => {
  it("is the sum of its parts, and each batch finds its own answers", async () => {
    const whole = await boundGap({ ...options, denoiser: shifted(0.1) });
    const { bound, entropy, gap, network, variance, discretisation } = whole;
    expect(gap.mean).toBeCloseTo(bound.total.mean - entropy.mean, 10);
    expect(network.mean + variance.mean + discretisation.mean).toBeCloseTo(gap.mean, 10);
    const batched = await boundGap({ ...options, denoiser: shifted(0.1), batchRows: 400 });
    expect(batched.network.mean).toBeCloseTo(network.mean, 10);
    const exact = mixtureEntropy(mixture, { count: 20_000, random: new Random(9, "metric") });
    expect(Math.abs(entropy.mean - exact.mean)).toBeLessThan(
      4.5 * Math.hypot(entropy.standardError, exact.standardError),
    );
  });

  it("gives an exact network no part of it, and a wrong one its excess loss", async () => {
    const exact = await boundGap(options);
    expect(exact.network).toEqual({ mean: 0, standardError: 0 });
    const off = await boundGap({ ...options, denoiser: shifted(0.1) });
    expect(off.network.mean).toBeGreaterThan(4 * off.network.standardError);
    for (const { excess } of off.losses) expect(excess.mean).toBeCloseTo(0.01, 5);
    expect(off.variance).toEqual(exact.variance);
    expect(off.discretisation).toEqual(exact.discretisation);
  });

  it("knows better variances than the fixed ones", async () => {
    for (const variance of ["large", "small"] as const) {
      const { variance: cost, discretisation } = await boundGap({ ...options, variance });
      expect(cost.mean).toBeGreaterThan(4 * cost.standardError);
      expect(discretisation.mean).toBeGreaterThan(-4 * discretisation.standardError);
    }
  });

  it("has less of discretisation with more steps", async () => {
    const of = async (timesteps: number): Promise<number> => {
      const longer = linearSchedule({ timesteps, betaStart: 0.12 / timesteps, betaEnd: 12 / timesteps });
      const made = { ...options, schedule: longer, denoiser: mixtureDenoiser(mixture, longer), draws: 100 };
      return (await boundGap(made)).discretisation.mean;
    };
    expect(await of(120)).toBeLessThan((await of(30)) / 2);
  });

  it("counts Bayes' loss as the oracle's own", async () => {
    const { losses } = await boundGap(options);
    const { terms } = await variationalBound(options);
    const errors = losses.map(({ step, bayes }, i) => bayes - snr(schedule, step) * at(terms, i).squaredError);
    expect(losses.map(({ step }) => step)).toEqual(terms.map(({ step }) => step));
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(0.08);
    const { mean, standardError } = meanOf(errors);
    expect(Math.abs(mean)).toBeLessThan(4 * standardError);
  });

  it("leaves little doubt about what is exact: chains of the best model follow log p(x_0)", async () => {
    const { discretisation, entropy } = await boundGap(options);
    expect(discretisation.standardError).toBeLessThan(entropy.standardError);
  });

  it("keeps a learned variance with the exact mean", async () => {
    const learned: Denoiser = (xt, step) => {
      const variance = floatTensor(new Float32Array(xt.data.length).fill(1), xt.shape);
      return { parameterisation: "eps", output: oracle(xt, step), variance: { kind: "range", output: variance } };
    };
    const asLarge = await boundGap({ ...options, variance: "large", first: "beta" });
    const asLearned = await boundGap({ ...options, denoiser: learned, variance: "learned", first: "beta" });
    expect(asLearned.variance.mean).toBeCloseTo(asLarge.variance.mean, 5);
  });
});
