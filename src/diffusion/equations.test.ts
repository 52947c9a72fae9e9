import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { forwardStep, qSample, transitionAlpha, transitionBeta } from "./forward.ts";
import { gaussianKl } from "./gaussian-kl.ts";
import { meanFromEps, predictEpsFromX0, predictX0FromEps } from "./parameterisation.ts";
import { posteriorMean, posteriorMeanCoefficients, posteriorVariance } from "./posterior.ts";
import { ddimCoefficients, ddimSigma } from "./samplers/ddim.ts";
import { ddpmCoefficients, reverseVariance } from "./samplers/ddpm.ts";
import { alphaCumprodAt, linearSchedule, scheduleFromBetas, type NoiseSchedule } from "./schedule.ts";

const value = fc.double({ min: -4, max: 4, noNaN: true });
const beta = fc.double({ min: 1e-5, max: 0.5, noNaN: true });

interface Place {
  readonly schedule: NoiseSchedule;
  readonly step: number;
  readonly previousStep: number;
}

/** A random schedule with a random pair t > s ≥ 0. */
const place: fc.Arbitrary<Place> = fc
  .tuple(fc.array(beta, { minLength: 2, maxLength: 20 }), fc.nat(), fc.nat())
  .map(([betas, a, b]) => {
    const step = 1 + (a % (betas.length - 1));
    return { schedule: scheduleFromBetas(betas), step, previousStep: b % step };
  });

function logNormal(x: number, mean: number, variance: number): number {
  return -((x - mean) ** 2) / (2 * variance) - 0.5 * Math.log(2 * Math.PI * variance);
}

function normals(stream: "noise" | "data", rows: number): FloatTensor {
  const data = new Float32Array(rows * 2);
  new Random(3, stream).normals(data, 2);
  return floatTensor(data, [rows, 2]);
}

function maxDifference(a: FloatTensor, b: FloatTensor): number {
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - (b.data[i] ?? NaN))), 0);
}

function near(got: number, expected: number, tolerance = 1e-10): void {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected)));
}

describe("forward process", () => {
  it("is √ᾱ x0 + √(1 − ᾱ) ε of the whole product, not of one step", () => {
    const schedule = scheduleFromBetas([0.19, 0.36]);
    const xt = qSample(floatTensor([1, 0], [2, 1]), floatTensor([0, 1], [2, 1]), schedule, 1);
    near(xt.data[0] ?? NaN, 0.9 * 0.8, 1e-7);
    near(xt.data[1] ?? NaN, Math.sqrt(1 - 0.81 * 0.64), 1e-7);
  });

  it("takes a step for each row", () => {
    const schedule = linearSchedule();
    const [x0, eps] = [normals("data", 3), normals("noise", 3)];
    const mixed = qSample(x0, eps, schedule, Int32Array.of(0, 500, 999));
    [0, 500, 999].forEach((step, row) => {
      const whole = qSample(x0, eps, schedule, step);
      expect(mixed.data.subarray(2 * row, 2 * row + 2)).toEqual(whole.data.subarray(2 * row, 2 * row + 2));
    });
  });

  it("composes: noising to s and on to t is noising to t", () => {
    fc.assert(
      fc.property(place, ({ schedule, step, previousStep }) => {
        const alpha = transitionAlpha(schedule, step, previousStep);
        const beta = transitionBeta(schedule, step, previousStep);
        near(alpha * alphaCumprodAt(schedule, previousStep), alphaCumprodAt(schedule, step));
        const variance = alpha * (1 - alphaCumprodAt(schedule, previousStep)) + beta;
        near(variance, 1 - alphaCumprodAt(schedule, step));
        near(alpha + beta, 1);
      }),
    );
  });

  it("with no s given is one step of the chain", () => {
    const schedule = scheduleFromBetas([0.1, 0.36]);
    const xt = forwardStep(floatTensor([1, 0], [2, 1]), floatTensor([0, 1], [2, 1]), schedule, 1);
    near(xt.data[0] ?? NaN, 0.8, 1e-7);
    near(xt.data[1] ?? NaN, 0.6, 1e-7);
  });

  it("started at the data is qSample", () => {
    const schedule = linearSchedule();
    const [x0, eps] = [normals("data", 5), normals("noise", 5)];
    expect(maxDifference(forwardStep(x0, eps, schedule, 321, -1), qSample(x0, eps, schedule, 321))).toBeLessThan(1e-6);
  });

  it("keeps the digits of small betas over a span", () => {
    const schedule = scheduleFromBetas(new Float64Array(5).fill(1e-10));
    const exact = 3e-10 - 3e-20;
    expect(Math.abs(transitionBeta(schedule, 4, 1) / exact - 1)).toBeLessThan(1e-13);
  });

  it("rejects wrong shapes, numbers of steps and orders", () => {
    const schedule = linearSchedule();
    const x0 = normals("data", 3);
    expect(() => qSample(x0, normals("noise", 2), schedule, 1)).toThrow(/\[3, 2\] and \[2, 2\]/);
    expect(() => qSample(x0, x0, schedule, Int32Array.of(1, 2))).toThrow(/each of 3 rows, got 2/);
    expect(() => qSample(x0, x0, schedule, 1000)).toThrow(/0-based/);
    expect(() => transitionBeta(schedule, 5, 5)).toThrow(/before 5, got 5/);
    expect(() => transitionAlpha(schedule, 5, 7)).toThrow(/before 5, got 7/);
    expect(() => transitionBeta(schedule, 5, -2)).toThrow(/got -2/);
    expect(() => transitionBeta(schedule, 5, 0.5)).toThrow(/got 0.5/);
  });
});

/** log q(x_s|x_0) + log q(x_t|x_s) − log q(x_t|x_0) − log q(x_s|x_t, x_0): zero by Bayes' rule, at any point. */
function bayesGap(at: Place, mean: { x0: number; xt: number }, variance: number, point: number[]): number {
  const [x0 = 0, xs = 0, xt = 0] = point;
  const { schedule, step, previousStep } = at;
  const [abarS, abarT] = [alphaCumprodAt(schedule, previousStep), alphaCumprodAt(schedule, step)];
  const prior = logNormal(xs, Math.sqrt(abarS) * x0, 1 - abarS);
  const likelihood = logNormal(xt, Math.sqrt(abarT / abarS) * xs, 1 - abarT / abarS);
  const evidence = logNormal(xt, Math.sqrt(abarT) * x0, 1 - abarT);
  return prior + likelihood - evidence - logNormal(xs, mean.x0 * x0 + mean.xt * xt, variance);
}

describe("posterior", () => {
  const points = fc.array(value, { minLength: 3, maxLength: 3 });
  const gentle = place.filter(({ schedule, step }) => alphaCumprodAt(schedule, step) < 0.995);

  it("times evidence is prior times likelihood", () => {
    fc.assert(
      fc.property(gentle, points, (at, point) => {
        const { schedule, step, previousStep } = at;
        fc.pre(
          1 - alphaCumprodAt(schedule, previousStep) > 1e-3 && transitionBeta(schedule, step, previousStep) > 1e-3,
        );
        const mean = posteriorMeanCoefficients(schedule, step, previousStep);
        const gap = bayesGap(at, mean, posteriorVariance(schedule, step, previousStep), point);
        expect(Math.abs(gap)).toBeLessThan(1e-6);
      }),
    );
  });

  it("would show a wrong denominator or variance in that identity", () => {
    const at = { schedule: scheduleFromBetas([0.1, 0.2]), step: 1, previousStep: 0 };
    const mean = posteriorMeanCoefficients(at.schedule, 1);
    const variance = posteriorVariance(at.schedule, 1);
    const slip = { xt: mean.xt, x0: (Math.sqrt(0.9) * 0.2) / (1 - 0.9) };
    expect(Math.abs(bayesGap(at, mean, variance, [1, 0.3, -1]))).toBeLessThan(1e-12);
    expect(Math.abs(bayesGap(at, slip, variance, [1, 0.3, -1]))).toBeGreaterThan(0.1);
    expect(Math.abs(bayesGap(at, mean, 0.2, [1, 0.3, -1]))).toBeGreaterThan(0.1);
  });

  it("at s = t − 1 is the textbook one", () => {
    const schedule = linearSchedule();
    const [abar, abarBefore, beta] = [
      schedule.alphasCumprod[400] ?? 0,
      schedule.alphasCumprod[399] ?? 0,
      schedule.betas[400] ?? 0,
    ];
    const mean = posteriorMeanCoefficients(schedule, 400);
    near(mean.x0, (Math.sqrt(abarBefore) * beta) / (1 - abar), 1e-13);
    near(mean.xt, (Math.sqrt(1 - beta) * (1 - abarBefore)) / (1 - abar), 1e-13);
    near(posteriorVariance(schedule, 400), ((1 - abarBefore) / (1 - abar)) * beta, 1e-13);
  });

  it("of the data themselves is x0, with variance exactly 0", () => {
    const schedule = linearSchedule();
    for (const step of [0, 19, 999]) {
      expect(posteriorMeanCoefficients(schedule, step, -1)).toEqual({ x0: 1, xt: 0 });
      expect(posteriorVariance(schedule, step, -1)).toBe(0);
    }
  });

  it("chains: from t to s through any r has the mean and variance of going there at once", () => {
    fc.assert(
      fc.property(place, fc.nat(), ({ schedule, step, previousStep }, pick) => {
        fc.pre(step - previousStep >= 2);
        const middle = previousStep + 1 + (pick % (step - previousStep - 1));
        const first = posteriorMeanCoefficients(schedule, step, middle);
        const second = posteriorMeanCoefficients(schedule, middle, previousStep);
        const whole = posteriorMeanCoefficients(schedule, step, previousStep);
        near(second.xt * first.xt, whole.xt);
        near(second.x0 + second.xt * first.x0, whole.x0);
        const variance =
          posteriorVariance(schedule, middle, previousStep) +
          second.xt ** 2 * posteriorVariance(schedule, step, middle);
        near(variance, posteriorVariance(schedule, step, previousStep));
      }),
    );
  });
});

describe("parameterisations", () => {
  it("return: x0 → ε → x0 at each row's step", () => {
    const schedule = linearSchedule({ timesteps: 300 });
    const [x0, eps] = [normals("data", 300), normals("noise", 300)];
    const steps = Int32Array.from({ length: 300 }, (_, step) => step);
    const xt = qSample(x0, eps, schedule, steps);
    expect(maxDifference(predictX0FromEps(xt, eps, schedule, steps), x0)).toBeLessThan(1e-5);
    const amplified = 6e-8 * 4 * Math.sqrt(1 / 1e-4);
    expect(maxDifference(predictEpsFromX0(xt, x0, schedule, steps), eps)).toBeLessThan(amplified);
  });

  it("return over random schedules", () => {
    fc.assert(
      fc.property(place, value, value, ({ schedule, step }, x, e) => {
        const [xt, eps] = [floatTensor([x], [1, 1]), floatTensor([e], [1, 1])];
        const abar = alphaCumprodAt(schedule, step);
        fc.pre(1 - abar > 1e-2 && abar > 1e-2);
        const back = predictEpsFromX0(xt, predictX0FromEps(xt, eps, schedule, step), schedule, step);
        near(back.data[0] ?? NaN, eps.data[0] ?? NaN, 1e-4);
      }),
    );
  });

  it("divide by √ᾱ, not by ᾱ", () => {
    const schedule = scheduleFromBetas([0.19, 0.36]);
    const x0 = predictX0FromEps(floatTensor([1], [1, 1]), floatTensor([0], [1, 1]), schedule, 1);
    near(x0.data[0] ?? NaN, 1 / 0.72, 1e-7);
  });

  it("agree on the reverse mean: μ(ε) is the posterior mean at x̂0", () => {
    fc.assert(
      fc.property(place, value, value, ({ schedule, step, previousStep }, x, e) => {
        const [xt, eps] = [floatTensor([x], [1, 1]), floatTensor([e], [1, 1])];
        fc.pre(alphaCumprodAt(schedule, step) > 1e-2);
        const x0 = predictX0FromEps(xt, eps, schedule, step);
        const expected = posteriorMean(x0, xt, schedule, step, previousStep);
        near(meanFromEps(xt, eps, schedule, step, previousStep).data[0] ?? NaN, expected.data[0] ?? NaN, 1e-5);
      }),
    );
  });
});

describe("L_simple", () => {
  /** KL(q(x_{t−1}|x_t, x_0) ‖ p_θ) of one value, from its two Gaussians. */
  function kl(schedule: NoiseSchedule, step: number, variance: number, x0: number, eps: number, guess: number): number {
    const abar = alphaCumprodAt(schedule, step);
    const xt = Math.sqrt(abar) * x0 + Math.sqrt(1 - abar) * eps;
    const of = posteriorMeanCoefficients(schedule, step);
    const x0Guess = (xt - Math.sqrt(1 - abar) * guess) / Math.sqrt(abar);
    const [mean, meanGuess] = [of.x0 * x0 + of.xt * xt, of.x0 * x0Guess + of.xt * xt];
    return gaussianKl(mean, Math.log(posteriorVariance(schedule, step)), meanGuess, Math.log(variance));
  }

  /** β²/(2σ²α(1 − ᾱ)), which turns (ε − ε_θ)² into what the KL has above its value at ε_θ = ε. */
  const weight = (schedule: NoiseSchedule, step: number, variance: number): number =>
    transitionBeta(schedule, step) ** 2 /
    (2 * variance * transitionAlpha(schedule, step) * (1 - alphaCumprodAt(schedule, step)));

  it.each(["large", "small"] as const)("weighted and summed over the steps is the KL form, variance %s", (choice) => {
    fc.assert(
      fc.property(fc.array(beta, { minLength: 2, maxLength: 20 }), value, value, value, (betas, x0, eps, guess) => {
        const schedule = scheduleFromBetas(betas);
        let [divergences, weighted] = [0, 0];
        for (let step = 1; step < schedule.timesteps; step++) {
          const variance = reverseVariance(schedule, step, step - 1, choice);
          divergences += kl(schedule, step, variance, x0, eps, guess) - kl(schedule, step, variance, x0, eps, eps);
          weighted += weight(schedule, step, variance) * (eps - guess) ** 2;
        }
        near(divergences, weighted, 1e-6);
      }),
    );
  });

  it("would show a wrong weight", () => {
    const schedule = scheduleFromBetas([0.1, 0.2]);
    const variance = reverseVariance(schedule, 1, 0, "small");
    const gap = kl(schedule, 1, variance, 0.5, 1, 0.2) - kl(schedule, 1, variance, 0.5, 1, 1);
    near(gap, weight(schedule, 1, variance) * 0.64);
    expect(Math.abs(gap - weight(schedule, 1, transitionBeta(schedule, 1)) * 0.64)).toBeGreaterThan(1e-2);
  });
});

describe("sampling steps", () => {
  it("DDIM keeps the marginal: σ² and the direction's square make 1 − ᾱ_s", () => {
    fc.assert(
      fc.property(place, fc.double({ min: 0, max: 1, noNaN: true }), ({ schedule, step, previousStep }, eta) => {
        const k = ddimCoefficients(schedule, step, previousStep, eta);
        near(k.x0 ** 2 + k.eps ** 2 + k.noise ** 2, 1);
        near(k.x0 ** 2, alphaCumprodAt(schedule, previousStep));
      }),
    );
  });

  it("DDIM with η = 1 is the posterior", () => {
    fc.assert(
      fc.property(place, ({ schedule, step, previousStep }) => {
        const [a, b] = [
          ddimCoefficients(schedule, step, previousStep, 1),
          ddpmCoefficients(schedule, step, previousStep, "small"),
        ];
        const abar = alphaCumprodAt(schedule, step);
        near(a.x0, b.x0 + Math.sqrt(abar) * b.xt);
        near(a.eps, Math.sqrt(1 - abar) * b.xt, 1e-7);
        expect(a.noise).toBe(b.noise);
        near(ddimSigma(schedule, step, previousStep, 1) ** 2, posteriorVariance(schedule, step, previousStep));
      }),
    );
  });

  it("DDPM is μ_θ plus noise of variance β or β̃, and none at the last step", () => {
    const schedule = linearSchedule();
    near(reverseVariance(schedule, 400, 399, "large"), schedule.betas[400] ?? NaN, 1e-15);
    near(reverseVariance(schedule, 400, 399, "small"), posteriorVariance(schedule, 400), 1e-15);
    near(reverseVariance(schedule, 400, 300, "large"), transitionBeta(schedule, 400, 300), 1e-15);
    expect(reverseVariance(schedule, 400, -1, "large")).toBe(0);
    expect(reverseVariance(schedule, 0, -1, "small")).toBe(0);
  });

  it("stay real where ᾱ all but vanishes", () => {
    const schedule = scheduleFromBetas(new Float64Array(60).fill(0.999));
    for (let step = 1; step < 60; step++) {
      expect(ddimCoefficients(schedule, step, step - 1, 1).eps).toBeGreaterThanOrEqual(0);
    }
  });
});
