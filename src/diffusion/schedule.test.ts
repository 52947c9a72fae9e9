import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../math/error.ts";
import { transitionAlpha, transitionBeta } from "./forward.ts";
import { posteriorVariance } from "./posterior.ts";
import { lintSchedule } from "./lint.ts";
import { priorKl } from "./prior.ts";
import { alphaCumprodAt, betaAt, linearSchedule, logSnr, noiseVarianceAt, scheduleFromBetas, snr } from "./schedule.ts";

const relative = (got: number, expected: number): number => Math.abs(got / expected - 1);
const betas = fc.array(fc.double({ min: 1e-7, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 60 });

describe("linear schedule", () => {
  it("has the published figures", () => {
    const schedule = linearSchedule();
    expect(schedule.timesteps).toBe(1000);
    expect(at(schedule.betas, 0)).toBe(1e-4);
    expect(relative(at(schedule.betas, 999), 0.02)).toBeLessThan(1e-14);
    expect(relative(alphaCumprodAt(schedule, 999), 4.0358297653756754e-5)).toBeLessThan(1e-12);
    expect(relative(Math.log(posteriorVariance(schedule, 1)), -9.81672513529567)).toBeLessThan(1e-12);
    expect(relative(alphaCumprodAt(linearSchedule({ timesteps: 50 }), 49), 0.602951597329715)).toBeLessThan(1e-12);
  });

  it("takes a single step", () => {
    expect([...linearSchedule({ timesteps: 1 }).betas]).toEqual([1e-4]);
  });

  it.each([0, -3, 2.5, NaN, Infinity, 1e12])("rejects timesteps = %s", (timesteps) => {
    expect(() => linearSchedule({ timesteps })).toThrow(UnnoiseError);
  });
});

describe("schedule from betas", () => {
  it.each([[[]], [[0]], [[1, 0.1]], [[0.1, 1, 1]], [[-0.1]], [[NaN]], [[1.5]]])("rejects betas %j", (values) => {
    expect(() => scheduleFromBetas(values)).toThrow(UnnoiseError);
  });

  it("rejects betas whose product vanishes", () => {
    expect(() => scheduleFromBetas(new Float64Array(400).fill(0.9))).toThrow(/2\^−1022/);
  });

  it("names the wrong beta", () => {
    expect(() => scheduleFromBetas([0.1, 1.2])).toThrow(/betas\[1\].*1\.2/);
  });

  it("takes β = 1 at the last step: zero terminal SNR", () => {
    const schedule = scheduleFromBetas([0.1, 0.3, 1]);
    expect([alphaCumprodAt(schedule, 2), noiseVarianceAt(schedule, 2)]).toEqual([0, 1]);
    expect([snr(schedule, 2), logSnr(schedule, 2)]).toEqual([0, -Infinity]);
    expect([transitionAlpha(schedule, 2), transitionBeta(schedule, 2, 0)]).toEqual([0, 1]);
    expect(posteriorVariance(schedule, 2)).toBeCloseTo(0.37, 14);
    expect(priorKl(schedule)).toBe(0);
    expect(() => scheduleFromBetas([0.1, 1, 0.3])).toThrow(/betas\[1\].*only the last may be 1/);
  });

  it("keeps its own copy", () => {
    const values = Float64Array.of(0.1, 0.2);
    const schedule = scheduleFromBetas(values);
    values[0] = 0.9;
    expect(betaAt(schedule, 0)).toBe(0.1);
  });

  it("splits unit variance into signal and noise: ᾱ + (1 − ᾱ) = 1", () => {
    fc.assert(
      fc.property(betas, (values) => {
        const schedule = scheduleFromBetas(values);
        values.forEach((_, step) => {
          expect(alphaCumprodAt(schedule, step) + noiseVarianceAt(schedule, step)).toBeCloseTo(1, 13);
        });
      }),
    );
  });

  it("multiplies from the first step, not from the one before it", () => {
    const schedule = scheduleFromBetas([0.25, 0.5]);
    expect(alphaCumprodAt(schedule, -1)).toBe(1);
    expect(noiseVarianceAt(schedule, -1)).toBe(0);
    expect([...schedule.alphasCumprod]).toEqual([0.75, 0.375]);
    expect([...schedule.noiseVariances]).toEqual([0.25, 0.625]);
  });

  it("keeps all digits of a noise variance that 1 − ᾱ would lose", () => {
    const schedule = scheduleFromBetas([1e-12, 1e-12]);
    expect(relative(noiseVarianceAt(schedule, 1), 2e-12 - 1e-24)).toBeLessThan(1e-15);
    expect(relative(1 - alphaCumprodAt(schedule, 1), 2e-12)).toBeGreaterThan(1e-6);
  });

  it.each([-2, 2, 0.5, NaN])("rejects step %s", (step) => {
    const schedule = scheduleFromBetas([0.1, 0.2]);
    expect(() => alphaCumprodAt(schedule, step)).toThrow(/step: expected an integer in −1…1/);
    expect(() => betaAt(schedule, step)).toThrow(/step: expected an integer in 0…1/);
  });
});

describe("signal-to-noise ratio", () => {
  it("falls with every step", () => {
    fc.assert(
      fc.property(betas, (values) => {
        const schedule = scheduleFromBetas(values);
        for (let step = 1; step < values.length; step++) {
          expect(logSnr(schedule, step)).toBeLessThan(logSnr(schedule, step - 1));
        }
      }),
    );
  });

  it("is ᾱ/(1 − ᾱ), infinite for the data", () => {
    const schedule = scheduleFromBetas([0.25, 0.5]);
    expect(snr(schedule, 1)).toBeCloseTo(0.375 / 0.625, 14);
    expect(logSnr(schedule, 1)).toBeCloseTo(Math.log(0.6), 14);
    expect(snr(schedule, -1)).toBe(Infinity);
  });
});

describe("what x_T still tells", () => {
  it("equals the integral of the divergence", () => {
    const schedule = scheduleFromBetas([0.3, 0.4]);
    const [mean, variance] = [Math.sqrt(0.42) * 1.7, 0.58];
    let nats = 0;
    const dx = 1e-3;
    for (let x = -12; x < 12; x += dx) {
      const logQ = -((x - mean) ** 2) / (2 * variance) - 0.5 * Math.log(2 * Math.PI * variance);
      nats += Math.exp(logQ) * (logQ + x ** 2 / 2 + 0.5 * Math.log(2 * Math.PI)) * dx;
    }
    expect(priorKl(schedule, 1.7 ** 2)).toBeCloseTo(nats / Math.LN2, 9);
  });

  it("is reported when it matters, with figure and remedy", () => {
    expect(lintSchedule(linearSchedule())).toEqual([]);
    const findings = lintSchedule(linearSchedule({ timesteps: 50 }));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain("ᾱ_T = 0.603");
    expect(findings[0]).toContain("20 times as large");
  });

  it("does not advise betas above 1", () => {
    expect(lintSchedule(linearSchedule({ timesteps: 10 }))[0]).not.toContain("times as large");
  });

  it("offers a remedy that works", () => {
    expect(lintSchedule(linearSchedule({ timesteps: 50, betaStart: 2e-3, betaEnd: 0.4 }))).toEqual([]);
    expect(lintSchedule(linearSchedule({ timesteps: 1001 }))).toEqual([]);
  });
});
