import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import type { FloatTensor } from "../../tensor/tensor.ts";
import { seededNoise } from "../noise.ts";
import { gaussianDenoiser } from "../oracle.ts";
import { mixtureDenoiser } from "../oracles/mixture-denoiser.ts";
import { gaussianMixture } from "../oracles/mixture.ts";
import { finalSample, type Denoiser, type SamplerOptions, type SamplerStep } from "../sampler.ts";
import { alphaCumprodAt, linearSchedule, noiseVarianceAt, type NoiseSchedule } from "../schedule.ts";
import { ddimInversion, inversionCoefficients } from "./ddim-inversion.ts";
import { ddim, ddimCoefficients } from "./ddim.ts";

const schedule = linearSchedule();
const gaussian = { mean: [0.5, -1], variance: [0.5, 0.2] };
const exact = gaussianDenoiser(gaussian, schedule);
const mixture = gaussianMixture({
  means: [
    [-1, 0],
    [1, 0.5],
  ],
  covariances: [0.15, 0.3],
  weights: [0.3, 0.7],
});
const start: FloatTensor = (() => {
  const data = new Float32Array(40);
  seededNoise(9).start.normals(data, 2, 0, 0);
  return { dtype: "float32", shape: [20, 2], data: data.map((x, i) => at(gaussian.mean, i % 2) + 0.6 * x) };
})();
const base: SamplerOptions = { denoiser: exact, schedule, shape: [20, 2], noise: seededNoise(1), start };

const maxDifference = (a: FloatTensor, b: FloatTensor): number =>
  a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - at(b.data, i))), 0);

/** Data, up and down again: how far from where they were. */
async function roundTrip(options: Partial<SamplerOptions>, refinements: number): Promise<number> {
  const latent = await finalSample(ddimInversion({ refinements })({ ...base, ...options }));
  const back = await finalSample(ddim()({ ...base, ...options, start: latent }));
  return maxDifference(back, start);
}

/** Where the ODE itself takes Gaussian data: x̃ − m grows with √(s² + σ²). */
function exactLatent(of: NoiseSchedule): FloatTensor {
  const last = of.timesteps - 1;
  const [signal, noise] = [alphaCumprodAt(of, last), noiseVarianceAt(of, last)];
  const data = start.data.map((x, i) => {
    const [m, s2] = [at(gaussian.mean, i % 2), at(gaussian.variance, i % 2)];
    return Math.sqrt(signal) * m + (x - m) * Math.sqrt((signal * s2 + noise) / s2);
  });
  return { ...start, data };
}

describe("DDIM inversion", () => {
  it("walks up from the data to T−1", async () => {
    const seen: SamplerStep[] = [];
    const latent = await finalSample(ddimInversion()({ ...base, steps: 4 }), (step) => seen.push(step));
    expect(seen.map(({ step, previousStep }) => [step, previousStep])).toEqual([
      [-1, 249],
      [249, 499],
      [499, 749],
      [749, 999],
    ]);
    expect(at(seen, 0).xt).toBe(start);
    expect(latent).toBe(at(seen, 3).xPrevious);
  });

  it("asks at the step it comes from, or where it goes when that is the data or refined", async () => {
    const asked: number[] = [];
    const denoiser: Denoiser = (xt, step) => (asked.push(step), exact(xt, step));
    await finalSample(ddimInversion()({ ...base, denoiser, steps: 3 }));
    expect(asked.splice(0)).toEqual([332, 332, 666]);
    await finalSample(ddimInversion({ refinements: 2 })({ ...base, denoiser, steps: 2 }));
    expect(asked).toEqual([499, 499, 499, 499, 999, 999]);
  });

  it.each([
    ["a Gaussian", exact],
    ["a mixture", mixtureDenoiser(mixture, schedule)],
  ])("returns to the data with refinements: %s", async (_name, denoiser) => {
    expect(await roundTrip({ denoiser, steps: 100 }, 20)).toBeLessThan(1e-4);
    expect(await roundTrip({ denoiser, steps: 100 }, 0)).toBeGreaterThan(1e-3);
  });

  it("comes nearer with every refinement", async () => {
    const errors: number[] = [];
    for (const refinements of [0, 2, 4, 6]) errors.push(await roundTrip({ steps: 50 }, refinements));
    errors.slice(1).forEach((error, i) => expect(error).toBeLessThan(0.6 * at(errors, i)));
  });

  it("without refinements has order 1", async () => {
    const fine = linearSchedule({ timesteps: 8000, betaStart: 1e-4 / 8, betaEnd: 0.02 / 8 });
    const options = { ...base, schedule: fine, denoiser: gaussianDenoiser(gaussian, fine) };
    const errors: number[] = [];
    for (const steps of [200, 400, 800]) {
      const latent = await finalSample(ddimInversion()({ ...options, steps }));
      errors.push(maxDifference(latent, exactLatent(fine)));
    }
    errors.slice(1).forEach((error, i) => {
      expect(Math.abs(Math.log2(at(errors, i) / error) - 1)).toBeLessThan(0.2);
    });
  });

  it("reads DDIM's equation upwards", () => {
    for (const [s, t] of [
      [-1, 19],
      [480, 500],
    ] as const) {
      const up = inversionCoefficients(schedule, s, t);
      const down = ddimCoefficients(schedule, t, s, 0);
      const signal = Math.sqrt(alphaCumprodAt(schedule, t));
      const [ofXt, ofEps] = [down.x0 / signal, down.eps - (down.x0 * Math.sqrt(noiseVarianceAt(schedule, t))) / signal];
      expect(up.xs).toBeCloseTo(1 / ofXt, 12);
      expect(up.eps).toBeCloseTo(-ofEps / ofXt, 12);
    }
  });

  it("starts at a given step", async () => {
    const latent = await finalSample(
      ddimInversion({ refinements: 40 })({ ...base, steps: [999, 800, 600], until: 400 }),
    );
    const back = await finalSample(ddim()({ ...base, start: latent, steps: [999, 800, 600], until: 400 }));
    expect(maxDifference(back, start)).toBeLessThan(1e-4);
  });

  it("rejects a run without data, and refinements that are no count", () => {
    const { start: _, ...nowhere } = base;
    expect(() => ddimInversion()(nowhere)).toThrow(/ddim-inversion: expected start, the data/);
    for (const refinements of [-1, 0.5, NaN]) expect(() => ddimInversion({ refinements })).toThrow(/refinements/);
  });
});
