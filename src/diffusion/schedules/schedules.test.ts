import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../../math/error.ts";
import { linearSchedule, logSnr, scheduleFromBetas, type NoiseSchedule } from "../schedule.ts";
import { constantSchedule } from "./constant.ts";
import { cosineSchedule } from "./cosine.ts";
import { exponentialSchedule } from "./exponential.ts";
import { jsdSchedule } from "./jsd.ts";
import { quadraticSchedule, scaledLinearSchedule } from "./scaled-linear.ts";
import { geometricSchedule, karrasSchedule, karrasSigmas, scheduleFromSigmas } from "./sigmas.ts";
import { sigmoidSchedule } from "./sigmoid.ts";
import { warmupSchedule } from "./warmup.ts";
import { rescaleToZeroTerminalSnr } from "./zero-terminal-snr.ts";

interface GoldenSchedule {
  readonly name: "linear" | "scaled_linear" | "squaredcos_cap_v2" | "sigmoid";
  readonly betaStart: number | null;
  readonly betaEnd: number | null;
  readonly T: number;
  readonly zeroTerminalSnr: boolean;
  readonly kept: number[];
  readonly betas: number[];
  readonly abarT: number;
}
interface GoldenKarras {
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  readonly T: number;
  readonly kept: number[];
  readonly sigmas: number[];
}
interface Golden {
  readonly schedules: GoldenSchedule[];
  readonly karras: GoldenKarras[];
}

const file = new URL("../../../test/golden/schedules.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;

const relative = (got: number, expected: number): number => Math.abs(got / expected - 1);
const last = (values: Float64Array): number => at(values, values.length - 1);
/** Error (absolute) that 1 − a/b makes in float64, as the references compute it: some units of 2^−53. */
const CANCELLATION = 64 * 2 ** -53;

describe("diffusers' own values in float64", () => {
  const ours = ({ name, betaStart, betaEnd, T }: GoldenSchedule): NoiseSchedule => {
    if (betaStart === null || betaEnd === null) return cosineSchedule({ timesteps: T });
    const build = { linear: linearSchedule, scaled_linear: scaledLinearSchedule, sigmoid: sigmoidSchedule };
    return build[name as keyof typeof build]({ timesteps: T, betaStart, betaEnd });
  };

  it.each(golden.schedules)("$name $betaStart…$betaEnd, T = $T, rescaled $zeroTerminalSnr", (expected) => {
    const plain = ours(expected);
    const { betas, alphasCumprod } = expected.zeroTerminalSnr ? rescaleToZeroTerminalSnr(plain) : plain;
    const cosine = expected.name === "squaredcos_cap_v2";
    const cancels = expected.zeroTerminalSnr || cosine;
    // The reference divides differences of nearly equal √ᾱ (rescaled), or cosines near π/2, and so loses digits near the end.
    const tolerance = expected.zeroTerminalSnr ? 1e-9 : cosine ? 1e-12 : 1e-14;
    expected.kept.forEach((step, i) => {
      const beta = at(expected.betas, i);
      const error = Math.abs(at(betas, step) - beta);
      expect(error).toBeLessThan(tolerance * beta + (cancels ? CANCELLATION : 0));
    });
    if (expected.zeroTerminalSnr) expect(last(alphasCumprod)).toBe(expected.abarT);
    else expect(relative(last(alphasCumprod), expected.abarT)).toBeLessThan(1e-11);
  });

  it.each(golden.karras)("Karras sigmas $sigmaMin…$sigmaMax, T = $T", ({ sigmaMin, sigmaMax, T, kept, sigmas }) => {
    const got = karrasSigmas({ timesteps: T, sigmaMin, sigmaMax });
    kept.forEach((step, i) => expect(relative(at(got, step), at(sigmas, i))).toBeLessThan(1e-13));
    const other = karrasSigmas({ timesteps: T, sigmaMin, sigmaMax, rho: 6.99 });
    expect(relative(at(other, at(kept, 3)), at(sigmas, 3))).toBeGreaterThan(1e-4);
  });
});

describe("published values", () => {
  it("cosine: first beta, one clipped, ᾱ_T", () => {
    const { betas, alphasCumprod } = cosineSchedule();
    expect(relative(at(betas, 0), 4.128422482196914e-5)).toBeLessThan(1e-11);
    expect([...betas.keys()].filter((step) => at(betas, step) === 0.999)).toEqual([999]);
    expect(relative(last(alphasCumprod), 2.4287669070348567e-9)).toBeLessThan(1e-11);
    expect(relative(at(cosineSchedule({ offset: 0.009 }).betas, 0), 4.128422482196914e-5)).toBeGreaterThan(0.05);
  });

  it("cosine: ᾱ_t = f(t)/f(0) before the clipped step", () => {
    const { alphasCumprod } = cosineSchedule({ timesteps: 100 });
    const f = (t: number): number => Math.cos(((t / 100 + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
    for (const t of [1, 30, 70, 99]) expect(relative(at(alphasCumprod, t - 1), f(t) / f(0))).toBeLessThan(1e-12);
  });

  it("cosine unclipped ends in zero terminal SNR", () => {
    expect(last(cosineSchedule({ timesteps: 20, maxBeta: 1 }).alphasCumprod)).toBe(0);
  });

  it("jsd: ᾱ_t = 1 − t/T, β_T = 1", () => {
    const { betas, alphasCumprod } = jsdSchedule({ timesteps: 8 });
    expect([at(betas, 0), last(betas)]).toEqual([1 / 8, 1]);
    alphasCumprod.forEach((alphaCumprod, step) => expect(alphaCumprod).toBeCloseTo(1 - (step + 1) / 8, 15));
  });

  it("warm-up rises to β_T and stays", () => {
    const { betas } = warmupSchedule({ timesteps: 20, fraction: 0.5, betaStart: 0.01, betaEnd: 0.1 });
    expect([...betas.subarray(0, 2)].map((beta) => Number(beta.toFixed(12)))).toEqual([0.01, 0.02]);
    expect([...betas.subarray(9)]).toEqual(new Array(11).fill(0.1));
    expect([...warmupSchedule({ timesteps: 9, betaEnd: 0.1 }).betas]).toEqual(new Array(9).fill(0.1));
  });

  it("exponential: equal ratios", () => {
    const { betas } = exponentialSchedule({ timesteps: 5, betaStart: 1e-4, betaEnd: 0.01 });
    for (const step of [1, 2, 3, 4]) expect(at(betas, step) / at(betas, step - 1)).toBeCloseTo(Math.sqrt(10), 12);
    expect(last(betas)).toBe(0.01);
  });

  it("constant and quadratic", () => {
    expect([...constantSchedule({ timesteps: 3, betaEnd: 0.3 }).betas]).toEqual([0.3, 0.3, 0.3]);
    const roots = quadraticSchedule({ timesteps: 4 }).betas.map(Math.sqrt);
    for (const step of [1, 2, 3])
      expect(at(roots, step) - at(roots, step - 1)).toBeCloseTo((Math.sqrt(0.02) - 0.01) / 3, 14);
  });

  it("rescaled betas keep ᾱ_T for any T, about", () => {
    const ends = [100, 1000, 4000].map((timesteps) =>
      last(linearSchedule({ timesteps, rescaleBetas: true }).alphasCumprod),
    );
    for (const end of ends) expect(Math.abs(Math.log(end / 4.04e-5))).toBeLessThan(0.8);
    expect(last(linearSchedule({ timesteps: 100 }).alphasCumprod)).toBeGreaterThan(0.3);
  });
});

describe("noise levels", () => {
  it.each([
    ["geometric", geometricSchedule, 100, 0.01],
    ["karras", karrasSchedule, 80, 0.002],
  ] as const)("%s: σ = √((1 − ᾱ)/ᾱ) has the asked ends", (_name, build, high, low) => {
    const { alphasCumprod, noiseVariances, timesteps } = build();
    const sigma = (step: number): number => Math.sqrt(at(noiseVariances, step) / at(alphasCumprod, step));
    expect(timesteps).toBe(1000);
    expect([relative(sigma(0), low), relative(sigma(999), high)].every((error) => error < 1e-11)).toBe(true);
  });

  it("geometric: equal ratios of σ", () => {
    const { alphasCumprod, noiseVariances } = geometricSchedule({ timesteps: 5, sigmaMin: 0.01, sigmaMax: 100 });
    noiseVariances.forEach((noise, step) => {
      expect(relative(Math.sqrt(noise / at(alphasCumprod, step)), 10 ** (step - 2))).toBeLessThan(1e-10);
    });
  });

  it("keep their digits where they hardly differ", () => {
    const { betas } = scheduleFromSigmas([1e-6, 1e-6 + 1e-12]);
    expect(relative(at(betas, 1), 2e-18)).toBeLessThan(1e-3);
  });

  it.each([[[]], [[0]], [[1, 1]], [[2, 1]], [[NaN]], [[1, Infinity]], [[1, 1e20, 1e30]], [[1e-200]]])(
    "refuses sigmas %j",
    (sigmas) => expect(() => scheduleFromSigmas(sigmas)).toThrow(UnnoiseError),
  );

  it("takes one step at the largest level", () => {
    expect([...karrasSigmas({ timesteps: 1 })]).toEqual([80]);
  });
});

describe("zero terminal SNR", () => {
  const betas = fc.array(fc.double({ min: 1e-6, max: 0.5, noNaN: true }), { minLength: 2, maxLength: 60 });

  it("ends at 0 and keeps the first ᾱ; √ᾱ is shifted and scaled (algorithm 1)", () => {
    fc.assert(
      fc.property(betas, (values) => {
        const before = scheduleFromBetas(values);
        const after = rescaleToZeroTerminalSnr(before);
        expect([last(after.alphasCumprod), last(after.noiseVariances), at(after.betas, 0)]).toEqual([0, 1, values[0]]);
        const [first, end] = [Math.sqrt(at(before.alphasCumprod, 0)), Math.sqrt(last(before.alphasCumprod))];
        let rounding = 2 ** -52 / (first - end);
        before.alphasCumprod.forEach((alphaCumprod, step) => {
          const expected = ((Math.sqrt(alphaCumprod) - end) * first) / (first - end);
          // A beta next to 1 leaves few digits of α = 1 − β.
          if (step < values.length - 1) rounding += 2 ** -52 / at(after.alphas, step);
          const error = Math.abs(Math.sqrt(at(after.alphasCumprod, step)) - expected);
          expect(error).toBeLessThan(8 * 2 ** -52 * (1 + 1 / (first - end)) + expected * rounding);
        });
      }),
    );
  });

  it("leaves a schedule that ends there as it is, and refuses one step", () => {
    const schedule = jsdSchedule({ timesteps: 5 });
    expect(rescaleToZeroTerminalSnr(schedule)).toBe(schedule);
    expect(() => rescaleToZeroTerminalSnr(scheduleFromBetas([0.5]))).toThrow(/at least 2 timesteps/);
  });

  it("needs logSnr −∞ at the end only", () => {
    const schedule = rescaleToZeroTerminalSnr(linearSchedule({ timesteps: 30 }));
    expect([...schedule.betas.keys()].filter((step) => logSnr(schedule, step) === -Infinity)).toEqual([29]);
  });
});

describe("refuses with one line", () => {
  it.each<[() => NoiseSchedule, RegExp]>([
    [() => linearSchedule({ betaStart: 0 }), /betaStart: expected a number between 0 and 1, got 0/],
    [() => linearSchedule({ betaStart: 1 }), /betaStart/],
    [() => sigmoidSchedule({ betaEnd: NaN }), /betaEnd/],
    [
      () => linearSchedule({ timesteps: 10, rescaleBetas: true }),
      /rescaleBetas: betaEnd = 0\.02 becomes 2 .*at least 21 timesteps/,
    ],
    [() => constantSchedule({ timesteps: 2, betaEnd: 1 }), /betas\[0\].*only the last may be 1/],
    [() => warmupSchedule({ fraction: 1.5 }), /fraction/],
    [() => cosineSchedule({ offset: -1 }), /offset/],
    [() => cosineSchedule({ maxBeta: 2 }), /maxBeta/],
    [() => jsdSchedule({ timesteps: 0.5 }), /timesteps/],
    [() => geometricSchedule({ sigmaMin: 5, sigmaMax: 5 }), /sigmaMax: expected a number > sigmaMin = 5/],
    [() => karrasSchedule({ sigmaMin: 0 }), /sigmaMin/],
    [() => karrasSchedule({ rho: 0 }), /rho/],
  ])("%s", (build, message) => {
    expect(build).toThrow(message);
    expect(build).toThrow(UnnoiseError);
  });

  it("with advice that works", () => {
    expect(() => linearSchedule({ timesteps: 21, rescaleBetas: true })).not.toThrow();
  });
});
