import { describe, expect, it } from "vitest";
import { lintSchedule, scheduleFigures, scheduleSeverity } from "./lint.ts";
import { lintSteps } from "./lint-steps.ts";
import { linearSchedule, scheduleFromBetas } from "./schedule.ts";
import { scheduleConfig, scheduleFromConfig, scheduleNames } from "./schedules/schedule-config.ts";
import { leadingSteps, linspaceSteps, trailingSteps } from "./steps.ts";

const made = scheduleNames.filter((name) => name !== "custom" && name !== "learned");

describe("lint of betas", () => {
  it("finds nothing in families as they are, apart from clipped, constant and early large betas", () => {
    const found = made.map((name) => {
      const config = scheduleConfig(name);
      return [name, lintSchedule(scheduleFromConfig(config), { config, parameterisation: "v" }).length] as const;
    });
    const expected = { cosine: 1, constant: 2, warmup10: 1, warmup50: 1 };
    expect(Object.fromEntries(found.filter(([, count]) => count > 0))).toEqual(expected);
  });

  it("says how many betas are clipped and where", () => {
    const [finding, ...others] = lintSchedule(scheduleFromConfig(scheduleConfig("cosine")));
    expect(finding).toMatch(/1 of 1000 betas clipped at 0\.999 \(t = 1000\).*ᾱ_T = 2\.43e-9.*harmless/);
    expect(others).toEqual([]);
    expect(lintSchedule(scheduleFromBetas([0.1, Math.fround(0.999), Math.fround(0.999)]))).toEqual([
      expect.stringMatching(/2 of 3 betas clipped at 0\.999 \(first t = 2\).*use smaller betas/),
    ]);
    const rescaled = scheduleConfig("cosine", { zeroTerminalSnr: true });
    expect(lintSchedule(scheduleFromConfig(rescaled))).toEqual([]);
  });

  it("says where betas decrease, and how often", () => {
    const findings = lintSchedule(scheduleFromBetas([0.1, 0.4, 0.3, 0.9, 0.2, 0.9999]));
    expect(findings).toEqual([
      expect.stringMatching(/decrease at 2 of 5 steps, first from 0\.4 \(t = 2\) to 0\.3 \(t = 3\)/),
    ]);
  });

  it("calls constant betas constant, not decreasing", () => {
    const findings = lintSchedule(scheduleFromConfig(scheduleConfig("constant")));
    const finding = findings.find((line) => line.includes("standard deviation"));
    expect(finding).toMatch(/all 1000 are 0\.02.*standard deviation 0\.141/);
    expect(finding).not.toContain("decrease");
  });

  it("says from where on steps are spent on noise, and that the last one must be", () => {
    const early = scheduleConfig("linear", { betaEnd: 0.2 });
    const [finding, ...others] = lintSchedule(scheduleFromConfig(early));
    const first = scheduleFromConfig(early).alphasCumprod.findIndex((signal) => signal < 0.01) + 1;
    const share = `${Math.round((1000 - first) / 10)} % of the steps, from t = ${first} on`;
    expect(finding).toContain(`x_t is all but noise (ᾱ_t < 0.01) at ${share}`);
    expect([first > 200, first < 250, others]).toEqual([true, true, []]);
    expect(scheduleFigures(scheduleFromBetas([0.5, 0.9, 0.999])).noiseShare).toBe(0);
  });

  it("sums up in one number, larger for more noise early, more data late and a larger start", () => {
    const severity = (options: object, name: "linear" | "cosine" | "constant" = "linear"): number =>
      scheduleSeverity(scheduleFromConfig(scheduleConfig(name, options)));
    expect(severity({})).toBeCloseTo(0.34, 2);
    expect(severity({}, "cosine")).toBeCloseTo(0.07, 2);
    expect(severity({ betaEnd: 0.2 })).toBeGreaterThan(severity({ betaEnd: 0.05 }));
    expect(severity({ betaEnd: 0.0005 })).toBeGreaterThan(severity({ betaEnd: 0.002 }));
    expect(severity({ betaEnd: 0.01 }, "constant")).toBeGreaterThan(severity({}));
  });

  it("lets noise levels order the betas as they like, not those of a file", () => {
    const config = scheduleConfig("karras");
    const schedule = scheduleFromConfig(config);
    expect(lintSchedule(schedule, { config })).toEqual([]);
    expect(lintSchedule(schedule)).toEqual([expect.stringContaining("betas decrease at")]);
  });

  it.each([
    ["eps", 1],
    ["score", 1],
    ["v", 0],
    ["x0", 0],
    ["mean", 0],
  ] as const)("zero terminal SNR and a network that predicts %s: %i findings", (parameterisation, count) => {
    const schedule = scheduleFromConfig(scheduleConfig("linear", { zeroTerminalSnr: true }));
    const findings = lintSchedule(schedule, { parameterisation });
    expect(findings).toHaveLength(count);
    if (count > 0) expect(findings[0]).toMatch(/undetermined.*predict v or x0/);
    expect(lintSchedule(linearSchedule(), { parameterisation })).toEqual([]);
  });

  it.each([
    ["geometric", { sigmaMax: 2 }, /a sigmaMax of about 158$/, { sigmaMax: 158 }],
    ["karras", { timesteps: 10, sigmaMax: 2 }, /a sigmaMax of about 158$/, { timesteps: 10, sigmaMax: 158 }],
    [
      "linear",
      { betaEnd: 0.001, rescaleBetas: true },
      /use betas about 18 times as large$/,
      { betaEnd: 0.018, betaStart: 0.0018 },
    ],
    ["linear", { timesteps: 2, betaStart: 1e-9, betaEnd: 1e-8 }, /use zeroTerminalSnr/, { zeroTerminalSnr: true }],
  ] as const)("%s %j: a remedy that fits and works", (name, options, message, remedy) => {
    const config = scheduleConfig(name, options);
    expect(lintSchedule(scheduleFromConfig(config), { config })).toEqual([expect.stringMatching(message)]);
    const better = scheduleConfig(name, remedy);
    expect(lintSchedule(scheduleFromConfig(better), { config: better })).toEqual([]);
  });
});

describe("lint of sampling steps", () => {
  const schedule = linearSchedule();

  it("finds nothing in spacings that start at T−1", () => {
    for (const count of [1, 10, 50, 1000]) {
      expect(lintSteps(schedule, trailingSteps(1000, count))).toEqual([]);
      expect(lintSteps(schedule, linspaceSteps(1000, count))).toEqual([]);
    }
  });

  it("says how far a first step is from T−1", () => {
    const findings = lintSteps(schedule, leadingSteps(1000, 10));
    expect(findings).toEqual([
      expect.stringMatching(/step 900, .*ᾱ = 0\.00027 \(SNR 0\.00027\); at step T−1 = 999 it is 0\.0000404 .*trailing/),
    ]);
  });

  it.each([
    [[999, 500, 500, 0, 0], /2 of 5 are duplicates .*: 500, 0; list each step once/],
    [[1000, 999, 0], /1 of 3 cannot be reached: 1000; expected integers in 0…999/],
    [[999, 3.5, -1], /2 of 3 cannot be reached: 3\.5, -1/],
    [[999, 100, 200, 0], /1 of 4 cannot be reached from the one before, first 200/],
    [[], /expected at least one, got none/],
  ])("%j", (steps, message) => {
    expect(lintSteps(schedule, steps)).toEqual([expect.stringMatching(message)]);
  });
});
