import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { floatTensor } from "../tensor/tensor.ts";
import { transitionBeta } from "./forward.ts";
import { seededNoise } from "./noise.ts";
import { posteriorVariance } from "./posterior.ts";
import { finalSample, type Denoiser, type LearnedVariance, type SamplerStep } from "./sampler.ts";
import { ddpm, type ReverseVariance } from "./samplers/ddpm.ts";
import { linearSchedule, scheduleFromBetas } from "./schedule.ts";
import { fixedLogVariance, learnedLogVariance, posteriorLogVariance } from "./variance.ts";

const schedule = linearSchedule();

describe("log variance of the first step", () => {
  it("is that of t = 2, −9.81672513529567, unless asked otherwise", () => {
    expect(posteriorLogVariance({ schedule, step: 0 })).toBeCloseTo(-9.81672513529567, 10);
    expect(posteriorLogVariance({ schedule, step: 1 })).toBeCloseTo(-9.81672513529567, 10);
    expect(posteriorLogVariance({ schedule, step: 0, first: "beta" })).toBeCloseTo(Math.log(1e-4), 10);
    expect(posteriorLogVariance({ schedule, step: 0, first: "clamp" })).toBeCloseTo(Math.log(1e-20), 10);
  });

  it("is that of the step before in a sequence", () => {
    const got = posteriorLogVariance({ schedule, step: 9, previousStep: -1, nextStep: 19 });
    expect(got).toBeCloseTo(Math.log(posteriorVariance(schedule, 19, 9)), 12);
  });

  it("is log β of a schedule of one step", () => {
    expect(posteriorLogVariance({ schedule: scheduleFromBetas([0.25]), step: 0 })).toBeCloseTo(Math.log(0.25), 12);
  });

  it("of the large variance is β̃ of t = 2 in Ho et al.'s code, log β in DDIM's", () => {
    expect(fixedLogVariance("large", { schedule, step: 0 })).toBeCloseTo(-9.81672513529567, 10);
    expect(fixedLogVariance("large", { schedule, step: 0, first: "beta" })).toBeCloseTo(Math.log(1e-4), 10);
    expect(fixedLogVariance("large", { schedule, step: 500 })).toBe(Math.log(at(schedule.betas, 500)));
    expect(fixedLogVariance("small", { schedule, step: 500 })).toBe(Math.log(posteriorVariance(schedule, 500)));
  });
});

describe("learned variance", () => {
  it("runs from log β̃ at v = −1 to log β at v = 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), fc.nat(), (step, other) => {
        const previousStep = other % step;
        const output = floatTensor([-1, 0, 1], [1, 3]);
        const got = learnedLogVariance({ kind: "range", output }, { schedule, step, previousStep });
        const small = Math.log(posteriorVariance(schedule, step, previousStep));
        const large = Math.log(transitionBeta(schedule, step, previousStep));
        [small, (small + large) / 2, large].forEach((expected, i) => expect(at(got, i)).toBeCloseTo(expected, 10));
      }),
    );
  });

  it("if free, holds between neighbours only", () => {
    const free: LearnedVariance = { kind: "free", output: floatTensor([-3], [1, 1]) };
    expect([...learnedLogVariance(free, { schedule, step: 5 })]).toEqual([-3]);
    expect(() => learnedLogVariance(free, { schedule, step: 5, previousStep: 2 })).toThrow(
      /from step 5 to 2; take all/,
    );
  });

  const walk = async (denoiser: Denoiser, variance: ReverseVariance): Promise<SamplerStep[]> => {
    const seen: SamplerStep[] = [];
    const options = { denoiser, schedule, shape: [3, 2], noise: seededNoise(2), steps: 10 };
    await finalSample(ddpm({ variance })(options), (step) => seen.push(step));
    return seen;
  };

  it.each([
    [-1, "small"],
    [1, "large"],
  ] as const)("of v = %s walks as the %s one", async (v, fixed) => {
    const learned: Denoiser = (xt) => ({
      parameterisation: "eps",
      output: xt,
      variance: {
        kind: "range",
        output: floatTensor(
          xt.data.map(() => v),
          xt.shape,
        ),
      },
    });
    const [a, b] = [await walk(learned, "learned"), await walk((xt) => xt, fixed)];
    a.forEach(({ xPrevious }, i) =>
      xPrevious.data.forEach((x, j) => expect(x).toBeCloseTo(at(at(b, i).xPrevious.data, j), 5)),
    );
    const other = await walk((xt) => xt, fixed === "small" ? "large" : "small");
    expect(at(at(a, 3).xPrevious.data, 0)).not.toBeCloseTo(at(at(other, 3).xPrevious.data, 0), 3);
  });

  it("is missed, in one line, where the denoiser has none", async () => {
    await expect(walk((xt) => xt, "learned")).rejects.toThrow(/the denoiser says nothing of it; choose large or small/);
  });
});
