import { describe, expect, it } from "vitest";
import { linearSchedule } from "./schedule.ts";
import { chooseSampler, samplerFlagNames } from "./sampler-choice.ts";
import { samplerNames, samplerTable } from "./sampler-table.ts";

const process = { schedule: linearSchedule() };

describe("chooseSampler", () => {
  it.each(samplerNames)("has usual steps for %s", (sampler) => {
    const { steps, options, label } = chooseSampler({ sampler }, process);
    expect(options.steps).toHaveLength(steps);
    expect(options.steps[0]).toBe(999);
    expect(label).toBe(`${samplerTable[sampler].label}, ${steps} steps`);
    expect(chooseSampler({ sampler }, { schedule: linearSchedule({ timesteps: 5 }) }).steps).toBe(5);
  });

  it("takes ancestral sampling, all steps and the model's variance where nothing is said", () => {
    const { name, steps, label } = chooseSampler({}, { ...process, variance: "small" });
    expect([name, steps, label]).toEqual(["ddpm", 1000, "DDPM, 1000 steps"]);
    expect(chooseSampler({ variance: "large" }, { ...process, variance: "small" }).label).toContain("large variance");
  });

  it("spaces as asked, then as the preset does", () => {
    const stepsOf = (flags: Parameters<typeof chooseSampler>[0]): number[] => [
      ...chooseSampler({ sampler: "ddim", steps: 4, ...flags }, process).options.steps,
    ];
    expect(stepsOf({})).toEqual([999, 749, 499, 249]);
    expect(stepsOf({ spacing: "leading" })).toEqual([750, 500, 250, 0]);
    expect(stepsOf({ preset: "openai" })).toEqual([999, 666, 333, 0]);
    expect(stepsOf({ preset: "openai", spacing: "leading" })).toEqual([750, 500, 250, 0]);
  });

  it("takes the steps themselves", () => {
    const { options, label } = chooseSampler({ sampler: "heun", steps: [0, 999, 400] }, process);
    expect([[...options.steps], label]).toEqual([[999, 400, 0], "Heun, 3 steps"]);
    expect(() => chooseSampler({ steps: [1000] }, process)).toThrow(/steps: expected integers in 0…999, got 1000/);
    expect(() => chooseSampler({ steps: [3, 3] }, process)).toThrow(/steps: 3 occurs twice/);
    expect(() => chooseSampler({ steps: [3], spacing: "karras" }, process)).toThrow(
      /--steps lists the steps themselves/,
    );
  });

  it("limits x̂0 as asked", () => {
    const { options, label } = chooseSampler({ clip: 3, preset: "diffusers" }, process);
    expect([options.clip, options.epsAfterLimit]).toEqual([[-3, 3], "kept"]);
    expect(label).toBe("DDPM, 1000 steps, clipped to ±3, as diffusers");
    expect(chooseSampler({ threshold: 0.995 }, process).options.threshold).toEqual({ quantile: 0.995 });
    expect(() => chooseSampler({ clip: 1, threshold: 0.9 }, process)).toThrow(/expected one of them/);
    expect(() => chooseSampler({ epsAfterLimit: "kept" }, process)).toThrow(/nothing limits x̂_0/);
  });

  it("tells in its label every flag that shapes the samples", () => {
    const labelOf = (flags: Parameters<typeof chooseSampler>[0]): string => chooseSampler(flags, process).label;
    expect(labelOf({ sampler: "langevin", innerSteps: 2, stepSize: 0.5 })).toBe(
      "annealed Langevin, 20 steps, 2 a level, step size 0.5",
    );
    expect(labelOf({ sampler: "predictor-corrector", steps: 9, corrections: 3, snr: 0.2 })).toBe(
      "predictor–corrector, 9 steps, 3 corrections a step, r = 0.2",
    );
    expect(labelOf({ sampler: "ddim", clip: 1, epsAfterLimit: "kept" })).toBe("DDIM, 50 steps, clipped to ±1, ε kept");
  });

  it("refuses the flag of another sampler, naming its owners", () => {
    expect(() => chooseSampler({ churn: 2 }, process)).toThrow(
      "--churn: ddpm has none; use it with --sampler euler or heun",
    );
    expect(() => chooseSampler({ sampler: "heun", innerSteps: 2 }, process)).toThrow(/--inner-steps: heun has none/);
    expect(samplerFlagNames).toContain("innerSteps");
  });
});
