import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { meanOf } from "../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { gaussianLogDensity } from "./decoder.ts";
import { edmSigma } from "./noise-level.ts";
import { odeLikelihood, type DenoiserWithVjp, type OdeLikelihoodOptions } from "./ode-likelihood.ts";
import { gaussianDenoiser } from "./oracle.ts";
import { mixtureDenoiser, mixtureEpsVjp, mixtureLogDensity } from "./oracles/mixture-denoiser.ts";
import { sampleMixture } from "./oracles/mixture-draws.ts";
import { gaussianMixture } from "./oracles/mixture.ts";
import { conversionBetween, type Parameterisation } from "./parameterisation.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, type NoiseSchedule } from "./schedule.ts";
import { rescaleToZeroTerminalSnr } from "./schedules/zero-terminal-snr.ts";

const schedule = linearSchedule();
const variance = [0.4, 1.5, 1];
const zero = { mean: [0, 0, 0], variance };

/** The exact denoiser of N(0, diag variance), whose Jacobian is diagonal; in any parameterisation. */
function gaussianModel(of: NoiseSchedule = schedule, parameterisation: Parameterisation = "eps"): DenoiserWithVjp {
  const epsOf = gaussianDenoiser(zero, of);
  return (xt, step, v) => {
    const form = conversionBetween("eps", parameterisation, of, step);
    const linear = (x: FloatTensor): FloatTensor => {
      const eps = epsOf(x, step).data;
      return { ...x, data: x.data.map((value, i) => form.xt * value + form.output * at(eps, i)) };
    };
    return { parameterisation, output: linear(xt), vjp: linear(v) };
  };
}

function gaussianRows(rows: number): FloatTensor {
  const data = new Float32Array(3 * rows);
  new Random(2, "data").normals(data, 3);
  return floatTensor(
    data.map((z, i) => Math.sqrt(at(variance, i % 3)) * z),
    [rows, 3],
  );
}

/** −log of the density of x_0, in each row, when noise of σ_0 is added to the data. */
function exactRows({ data }: FloatTensor, sigma0: number, factor = 1): Float64Array {
  const out = new Float64Array(data.length / 3);
  data.forEach((x, i) => {
    const row = Math.floor(i / 3);
    out[row] = at(out, row) - gaussianLogDensity(x, 0, Math.log(factor * (at(variance, i % 3) + sigma0 ** 2)));
  });
  return out;
}

const largestGap = (a: Float64Array, b: Float64Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - at(b, i))), 0);

const base: OdeLikelihoodOptions = { denoiser: gaussianModel(), schedule, x0: gaussianRows(20), trace: "exact" };

describe("likelihood by the probability-flow ODE", () => {
  it("is the closed form on Gaussian data to 1e-3, row by row; a variance wrong by 1 % is not", async () => {
    const { rowTotals, total, probeErrors } = await odeLikelihood(base);
    const sigma0 = edmSigma(schedule, 0);
    expect(largestGap(rowTotals, exactRows(base.x0, sigma0))).toBeLessThan(1e-3);
    expect(largestGap(rowTotals, exactRows(base.x0, sigma0, 1.01))).toBeGreaterThan(1e-3);
    expect(total).toEqual(meanOf(rowTotals));
    expect([...probeErrors].every((error) => error === 0)).toBe(true);
  });

  it.each(["x0", "v"] as const)("takes predictions of %s", async (parameterisation) => {
    const { rowTotals } = await odeLikelihood({ ...base, denoiser: gaussianModel(schedule, parameterisation) });
    expect(largestGap(rowTotals, exactRows(base.x0, edmSigma(schedule, 0)))).toBeLessThan(2e-3);
  });

  it("starts where it is told, and stops below ᾱ = 0", async () => {
    const steps = Array.from({ length: 990 }, (_, i) => i + 10);
    const later = await odeLikelihood({ ...base, steps });
    expect(largestGap(later.rowTotals, exactRows(base.x0, edmSigma(schedule, 10)))).toBeLessThan(1e-3);
    const toZero = rescaleToZeroTerminalSnr(schedule);
    const { rowTotals } = await odeLikelihood({ ...base, schedule: toZero, denoiser: gaussianModel(toZero) });
    expect(largestGap(rowTotals, exactRows(base.x0, edmSigma(toZero, 0)))).toBeLessThan(1e-3);
  });

  it("falls short by less, the higher the order", async () => {
    const coarse = linearSchedule({ timesteps: 250, betaStart: 4e-4, betaEnd: 0.08 });
    const exact = exactRows(base.x0, edmSigma(coarse, 0));
    const gaps: number[] = [];
    for (const order of [1, 2, 3]) {
      const options = { ...base, schedule: coarse, denoiser: gaussianModel(coarse), order };
      gaps.push(largestGap((await odeLikelihood(options)).rowTotals, exact));
    }
    expect(at(gaps, 1)).toBeLessThan(at(gaps, 0) / 10);
    expect(at(gaps, 2)).toBeLessThan(at(gaps, 1) / 2);
  });
});

describe("traces", () => {
  const mixture = gaussianMixture({
    means: [
      [-1, 0.3],
      [1, -0.3],
    ],
    covariances: [
      [
        [0.2, 0.12],
        [0.12, 0.1],
      ],
      0.1,
    ],
  });
  const of = linearSchedule({ timesteps: 300, betaStart: 3e-4, betaEnd: 0.066 });
  const epsOf = mixtureDenoiser(mixture, of);
  const x0 = sampleMixture(mixture, 60, new Random(4, "data"));
  const options: OdeLikelihoodOptions = {
    denoiser: (xt, step, v) => ({
      parameterisation: "eps",
      output: epsOf(xt, step),
      vjp: mixtureEpsVjp(mixture, of, xt, step, v),
    }),
    schedule: of,
    x0,
    trace: "exact",
  };

  it("exact: a mixture's own density, in either scale of x", async () => {
    const { rowTotals } = await odeLikelihood(options);
    const abar = alphaCumprodAt(of, 0);
    const scaled = { ...x0, data: x0.data.map((x) => Math.sqrt(abar) * x) };
    // p̃(x̃) = √ᾱ^D p(√ᾱ x̃) with D = 2.
    const exact = mixtureLogDensity(mixture, of, scaled, 0).map((log) => -log - Math.log(abar));
    expect(largestGap(rowTotals, exact)).toBeLessThan(0.01);
    expect(noiseVarianceAt(of, 0)).toBeGreaterThan(0);
  });

  it("Hutchinson: the same on average, within the standard error that probes report", async () => {
    const exact = await odeLikelihood(options);
    const trace = { probes: 12, noise: new Random(1, "bound") };
    const { rowTotals, probeErrors } = await odeLikelihood({ ...options, trace });
    const scores = rowTotals.map((value, row) => (value - at(exact.rowTotals, row)) / at(probeErrors, row));
    // Student's t with 11 degrees of freedom has variance 11/9.
    const { mean, variance: spread } = meanOf(scores);
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(11 / 9 / scores.length));
    expect(spread).toBeGreaterThan(0.4);
    expect(spread).toBeLessThan(3);
    expect(Math.max(...probeErrors)).toBeGreaterThan(1e-3);
  });

  it("batches and parts of a run change nothing; one probe has no error of its own", async () => {
    const trace = { probes: 1, noise: new Random(1, "bound") };
    const whole = await odeLikelihood({ ...options, trace, steps: 20 });
    const parts = await odeLikelihood({ ...options, trace, steps: 20, batchRows: 7 });
    expect(parts.rowTotals).toEqual(whole.rowTotals);
    expect([...whole.probeErrors].every(Number.isNaN)).toBe(true);
    const rest = floatTensor(x0.data.slice(100), [10, 2]);
    const part = await odeLikelihood({ ...options, trace, steps: 20, x0: rest, firstIndex: 50 });
    expect(part.rowTotals).toEqual(whole.rowTotals.slice(50));
  });
});

describe("options", () => {
  it("are checked", async () => {
    for (const [wrong, message] of [
      [{ order: 0 }, /order: expected an integer in 1…4, got 0/],
      [{ trace: { probes: 0, noise: new Random(1, "bound") } }, /probes/],
      [{ scale: [1] }, /3 numbers above 0, got \[1\]/],
      [{ x0: floatTensor([], [0, 3]) }, /N ≥ 1/],
      [{ batchRows: 0.5 }, /batchRows/],
      [{ signal: AbortSignal.abort() }, /stopped as asked at step 0/],
    ] as const) {
      await expect(odeLikelihood({ ...base, ...wrong })).rejects.toThrow(message);
    }
  });

  it("a denoiser's wrong shape or NaN is named", async () => {
    const short: DenoiserWithVjp = (_, __, v) => ({
      parameterisation: "eps",
      output: v,
      vjp: floatTensor([1], [1, 1]),
    });
    await expect(odeLikelihood({ ...base, denoiser: short })).rejects.toThrow(
      /must return shape \[20, 3\], got \[1, 1\]/,
    );
    const broken: DenoiserWithVjp = (xt, _, v) => ({
      parameterisation: "eps",
      output: { ...xt, data: xt.data.map(() => NaN) },
      vjp: v,
    });
    await expect(odeLikelihood({ ...base, denoiser: broken })).rejects.toThrow(/overflowed/);
  });
});
