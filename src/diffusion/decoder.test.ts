import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decoders, discretisedGaussianLogLikelihood, gaussianLogDensity, tanhNormalCdf } from "./decoder.ts";
import { gaussianKl, priorTerm } from "./gaussian-kl.ts";
import { priorKl } from "./prior.ts";
import { linearSchedule } from "./schedule.ts";

const levels = Array.from({ length: 256 }, (_, k) => (2 * k) / 255 - 1);
const mean = fc.double({ min: -1.5, max: 1.5, noNaN: true });
const logVariance = fc.double({ min: -10, max: 2, noNaN: true });

/** Trapezoid rule, all but exact for smooth functions that vanish at both ends. */
function integral(f: (x: number) => number, from: number, to: number, steps = 4000): number {
  const h = (to - from) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) sum += (i === 0 || i === steps ? 0.5 : 1) * f(from + i * h);
  return sum * h;
}

describe("decoders", () => {
  it("density integrates to 1, and not with another variance", () => {
    const mass = (log: number): number =>
      integral((x) => Math.exp(gaussianLogDensity(x, 0.3, Math.log(0.04)) + log), -3, 4);
    expect(mass(0)).toBeCloseTo(1, 12);
    expect(mass(0.5 * Math.log(1.01))).not.toBeCloseTo(1, 3);
  });

  it.each(["discretised", "discretised-tanh"] as const)("%s: 256 bins share probability 1", (name) => {
    fc.assert(
      fc.property(mean, logVariance, (m, log) => {
        const total = levels.reduce((sum, x) => sum + Math.exp(decoders[name](x, m, log)), 0);
        expect(Math.abs(total - 1)).toBeLessThan(1e-9);
      }),
    );
  });

  it("gives a bin the integral of the density over it, in both tails", () => {
    for (const [x, m, log] of [
      [levels[100] ?? 0, 0.2, -2],
      [levels[200] ?? 0, 0.1, -3],
      [levels[40] ?? 0, -0.2, -4],
    ] as const) {
      const exact = integral((z) => Math.exp(gaussianLogDensity(z, m, log)), x - 1 / 255, x + 1 / 255, 400);
      expect(Math.abs(discretisedGaussianLogLikelihood(x, m, log) - Math.log(exact))).toBeLessThan(1e-4);
      const narrow = integral((z) => Math.exp(gaussianLogDensity(z, m, log)), x - 1 / 256, x + 1 / 256, 400);
      expect(Math.abs(discretisedGaussianLogLikelihood(x, m, log) - Math.log(narrow))).toBeGreaterThan(1e-3);
    }
  });

  it("leaves the outer bins open, and floors what is all but impossible", () => {
    expect(discretisedGaussianLogLikelihood(-1, -9, -8)).toBeCloseTo(0, 12);
    expect(discretisedGaussianLogLikelihood(1, 9, -8)).toBeCloseTo(0, 12);
    expect(discretisedGaussianLogLikelihood(0.5, -0.5, -10)).toBe(Math.log(1e-12));
  });

  it("approximates Φ by tanh roughly, not exactly", () => {
    const exact = decoders.discretised(levels[130] ?? 0, 0, -9);
    const rough = decoders["discretised-tanh"](levels[130] ?? 0, 0, -9);
    expect(Math.abs(rough - exact)).toBeGreaterThan(1e-6);
    expect(Math.abs(rough - exact)).toBeLessThan(1e-2);
    expect(tanhNormalCdf(1)).toBeCloseTo(0.8413, 3);
  });
});

describe("Kullback–Leibler terms", () => {
  it("of two Gaussians is the integral of its definition", () => {
    const moderate = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(moderate, moderate, moderate, moderate, (m1, l1, m2, l2) => {
        const [p, q] = [(x: number) => gaussianLogDensity(x, m1, l1), (x: number) => gaussianLogDensity(x, m2, l2)];
        const exact = integral((x) => Math.exp(p(x)) * (p(x) - q(x)), -20, 20, 800);
        expect(Math.abs(gaussianKl(m1, l1, m2, l2) - exact)).toBeLessThan(1e-9);
        expect(gaussianKl(m1, l1, m1, l1)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps its digits where the variances all but agree", () => {
    expect(Math.abs(gaussianKl(0, 1e-6, 0, 0) / 2.5e-13 - 1)).toBeLessThan(1e-3);
  });

  it("L_T over data of mean square m is priorKl", () => {
    const schedule = linearSchedule({ timesteps: 50 });
    const [a, b] = [0.7, -1.9];
    const bits = (priorTerm(a, schedule) + priorTerm(b, schedule)) / 2 / Math.LN2;
    expect(bits).toBeCloseTo(priorKl(schedule, (a * a + b * b) / 2), 12);
  });
});
