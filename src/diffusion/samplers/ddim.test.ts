import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { seededNoise } from "../noise.ts";
import { gaussianDenoiser } from "../oracle.ts";
import { finalSample, type SamplerOptions } from "../sampler.ts";
import { alphaCumprodAt, linearSchedule } from "../schedule.ts";
import { ddim, ddimCoefficients, ddimHatCoefficients } from "./ddim.ts";
import { ddpm } from "./ddpm.ts";

const schedule = linearSchedule();
const options: SamplerOptions = {
  denoiser: gaussianDenoiser({ mean: [1, -2], variance: [0.5, 0.1] }, schedule),
  schedule,
  shape: [40, 2],
  noise: seededNoise(1),
};

describe("DDIM with σ̂", () => {
  it("changes the noise alone: σ̂² = 1 − ᾱ_t/ᾱ_s, the direction that of η = 1", () => {
    for (const [t, s] of [
      [999, 949],
      [500, 480],
      [1, 0],
    ] as const) {
      const [hat, one] = [ddimHatCoefficients(schedule, t, s), ddimCoefficients(schedule, t, s, 1)];
      expect(hat.noise).toBeCloseTo(Math.sqrt(1 - alphaCumprodAt(schedule, t) / alphaCumprodAt(schedule, s)), 12);
      expect(hat.noise).toBeGreaterThan(one.noise);
      expect({ ...hat, noise: one.noise }).toEqual(one);
    }
  });

  it("adds no noise in the step to the data", () => {
    expect(ddimHatCoefficients(schedule, 19, -1)).toEqual({ xt: 0, x0: 1, eps: 0, noise: 0 });
  });

  it.each([1000, 20])("walks the path of DDPM with the large variance in %i steps", async (steps) => {
    const hat = await finalSample(ddim({ sigma: "hat" })({ ...options, steps }));
    const large = await finalSample(ddpm({ variance: "large" })({ ...options, steps }));
    const small = await finalSample(ddpm({ variance: "small" })({ ...options, steps }));
    hat.data.forEach((x, i) => expect(Math.abs(x - at(large.data, i))).toBeLessThan(2e-6));
    expect(hat.data.some((x, i) => Math.abs(x - at(small.data, i)) > 1e-3)).toBe(true);
  });

  it("takes no η", () => {
    expect(() => ddim({ sigma: "hat", eta: 1 })).toThrow(/eta: sigma hat takes none, got 1/);
  });
});
