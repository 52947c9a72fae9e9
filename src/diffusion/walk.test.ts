import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { qSample } from "./forward.ts";
import { limitOf } from "./limit.ts";
import { seededNoise } from "./noise.ts";
import { convertPrediction, parameterisations, predictX0FromEps } from "./parameterisation.ts";
import { finalSample, type Denoiser, type SamplerOptions } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { linearSchedule, scheduleFromBetas } from "./schedule.ts";
import { Walk } from "./walk.ts";

const schedule = linearSchedule({ timesteps: 100, betaStart: 1e-3, betaEnd: 0.2 });
const shape = [2, 3];
const x0 = floatTensor([0.1, -0.2, 0.3, 1.4, -2, 0.5], shape);
const eps = floatTensor([1, -1, 0.5, 0.2, 0.1, -0.3], shape);
const base: SamplerOptions = { denoiser: () => eps, schedule, shape, noise: seededNoise(0) };

function maxGap(a: FloatTensor, b: FloatTensor): number {
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - at(b.data, i))), 0);
}

describe("estimate", () => {
  it.each(parameterisations)("is the same whatever the denoiser predicts: %s", async (parameterisation) => {
    for (const step of [0, 40, 99]) {
      const xt = qSample(x0, eps, schedule, step);
      const denoiser: Denoiser = () => ({
        parameterisation,
        output: convertPrediction(eps, "eps", parameterisation, xt, schedule, step),
      });
      const got = await new Walk("test", { ...base, denoiser }).estimate(xt, step);
      expect(maxGap(got.x0, x0)).toBeLessThan(2e-3);
      expect(maxGap(got.eps, eps)).toBeLessThan(2e-5);
    }
  });

  it("limits x̂0 and re-derives ε from it, or keeps ε if asked", async () => {
    const xt = qSample(x0, eps, schedule, 40);
    const clip = [-1, 1] as const;
    const rederived = await new Walk("test", { ...base, clip }).estimate(xt, 40);
    const kept = await new Walk("test", { ...base, clip, epsAfterLimit: "kept" }).estimate(xt, 40);
    expect(rederived.x0.data[3]).toBe(1);
    expect(rederived.x0.data[4]).toBe(-1);
    expect(maxGap(predictX0FromEps(xt, rederived.eps, schedule, 40), rederived.x0)).toBeLessThan(1e-6);
    expect(kept.x0.data).toEqual(rederived.x0.data);
    expect(maxGap(kept.eps, eps)).toBeLessThan(1e-6);
    expect(maxGap(rederived.eps, eps)).toBeGreaterThan(0.1);
  });

  it("names the step where ᾱ = 0 and ε says nothing", async () => {
    const zero = scheduleFromBetas([0.1, 0.5, 1]);
    const failing = ddim()({ ...base, schedule: zero });
    await expect(finalSample(failing)).rejects.toThrow(/ddim: step 2 \(1 of 3\): ᾱ = 0 there, where eps says nothing/);
    const fine = ddim()({ ...base, schedule: zero, denoiser: () => ({ parameterisation: "x0", output: x0 }) });
    expect(maxGap(await finalSample(fine), x0)).toBeLessThan(1e-6);
  });
});

describe("limits", () => {
  it("threshold each sample by its own quantile, as Imagen does", () => {
    const data = Float32Array.of(0.5, -1, 2, 4, 0.1, 0.2, 0.3, -0.4);
    limitOf({ threshold: { quantile: 0.5 } })?.(data, 4);
    // |row| sorted: 0.5 1 2 4, median 1.5; the other row stays: its median is below 1.
    [0.5 / 1.5, -1 / 1.5, 1, 1, 0.1, 0.2, 0.3, -0.4].forEach((expected, i) => expect(data[i]).toBeCloseTo(expected, 6));
  });

  it("cap the quantile", () => {
    const data = Float32Array.of(10, -20, 5, 1);
    limitOf({ threshold: { quantile: 1, max: 5 } })?.(data, 4);
    expect([...data]).toEqual([1, -1, 1, Math.fround(0.2)]);
  });

  it.each([
    [{ clip: [1, 1] as const }, /clip: expected \[low, high\]/],
    [{ threshold: { quantile: 0 } }, /quantile/],
    [{ threshold: { quantile: 0.9, max: 0.5 } }, /max ≥ 1/],
    [{ clip: [0, 1] as const, threshold: { quantile: 0.9 } }, /expected one of them/],
  ])("refuse %j", (options, message) => {
    expect(() => limitOf(options)).toThrow(message);
  });
});

describe("until", () => {
  it("stops before the data", async () => {
    const seen: number[] = [];
    await finalSample(ddim()({ ...base, steps: [99, 50, 20], until: 10 }), ({ previousStep }) =>
      seen.push(previousStep),
    );
    expect(seen).toEqual([50, 20, 10]);
  });

  it.each([20, 30, -2, 1.5])("refuses %s", (until) => {
    expect(() => ddim()({ ...base, steps: [99, 50, 20], until })).toThrow(/until: expected an integer in −1…19/);
  });
});
