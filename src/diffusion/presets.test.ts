import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { comparePresets } from "./preset-difference.ts";
import { presetKeys, presetNames, presets, presetSettings, samplingOptions } from "./presets.ts";
import { linearSchedule } from "./schedule.ts";
import { posteriorLogVariance } from "./variance.ts";

const schedule = linearSchedule();

describe("presets", () => {
  it("put each published choice where it belongs", () => {
    const column = (key: keyof (typeof presets)["ho2020"]): unknown[] => presetNames.map((name) => presets[name][key]);
    expect(column("firstLogVariance")).toEqual(["second", "beta", "second", "clamp"]);
    expect(column("epsAfterLimit")).toEqual(["rederived", "kept", "rederived", "kept"]);
    expect(column("flipSinToCos")).toEqual([false, false, true, true]);
    expect(column("freqShift")).toEqual([1, 1, 0, 0]);
    expect(column("lossReduction")).toEqual(["mean", "sum", "mean", "mean"]);
    expect(column("timestepDraw")).toEqual(["uniform", "antithetic", "uniform", "uniform"]);
    expect(column("decoder")).toEqual(["discretised-tanh", null, "discretised-tanh", null]);
    expect(column("groupNormEps")).toEqual([1e-6, 1e-6, 1e-5, 1e-5]);
    expect(column("lastConvolutionScale")).toEqual([1e-10, 1e-10, 0, 1]);
    expect(presetKeys).toHaveLength(Object.keys(presets.openai).length);
    expect(Object.keys(presetSettings).sort()).toEqual(Object.keys(presets.openai).sort());
  });

  it("give the values of log β̃ at t = 1", () => {
    const values = presetNames.map((name) =>
      posteriorLogVariance({ schedule, step: 0, first: presets[name].firstLogVariance }),
    );
    [-9.81672513529567, Math.log(1e-4), -9.81672513529567, Math.log(1e-20)].forEach((expected, i) =>
      expect(values[i]).toBeCloseTo(expected, 10),
    );
  });

  it("space ten steps of a thousand in their own ways", () => {
    const ten = (name: (typeof presetNames)[number]): number[] =>
      [...presets[name].spacing.steps(schedule, 10)].reverse();
    expect(ten("openai")).toEqual([0, 111, 222, 333, 444, 555, 666, 777, 888, 999]);
    expect(ten("ddim-official")).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(ten("diffusers")).toEqual(ten("ddim-official"));
    expect(ten("ho2020").at(-1)).toBe(999);
    expect([...presets.ho2020.spacing.steps(schedule, 1000)]).toHaveLength(1000);
  });

  it("clip, but DDIM's authors never do", () => {
    expect(samplingOptions(presets.openai)).toEqual({ clip: [-1, 1], epsAfterLimit: "rederived" });
    expect(samplingOptions(presets["ddim-official"])).toEqual({ epsAfterLimit: "kept" });
  });
});

describe("comparePresets", () => {
  it("lists what differs and measures what acts in sampling", async () => {
    const { differences, moved, size } = await comparePresets("openai", "diffusers");
    expect(differences.map(({ setting }) => setting)).toEqual([
      "spacing",
      "epsAfterLimit",
      "firstLogVariance",
      "decoder",
      "lastConvolutionScale",
    ]);
    const [spacing, eps, first] = differences;
    expect(spacing?.moved).toBeGreaterThan(0.01);
    expect(eps?.moved).toBeGreaterThan(0.01);
    expect(first?.moved).toBeNull();
    expect(at(first?.logVariances ?? [], 1)).toBeCloseTo(Math.log(1e-20), 8);
    expect(moved).toBeGreaterThan(0.01);
    expect(size).toBeGreaterThan(0.3);
  });

  it("measures nothing where nothing that acts differs", async () => {
    const { differences } = await comparePresets("ddim-official", "diffusers");
    expect(differences.some(({ part }) => part === "sampling")).toBe(true);
    const steps = differences.find(({ setting }) => setting === "spacing");
    // The rules differ in name and offset only: the same ten steps.
    expect(steps?.moved).toBe(0);
  });

  it("refuses the same preset twice", async () => {
    await expect(comparePresets("openai", "openai")).rejects.toThrow(/two different ones, got openai twice/);
  });
});
