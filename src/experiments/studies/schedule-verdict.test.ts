import { expect, test } from "vitest";
import { linearSchedule } from "../../diffusion/schedule.ts";
import { scheduleConfig, scheduleFromConfig, type ScheduleConfig } from "../../diffusion/schedules/schedule-config.ts";
import { constantSchedule } from "../../diffusion/schedules/constant.ts";
import { scheduleSeverity } from "../../diffusion/lint.ts";
import { parseTrainingConfig } from "../../train/config.ts";
import { matchedConstantBeta, matchedLinearEnd, terminalSignal } from "./matched-schedule.ts";
import { scheduleSettings } from "./schedule-settings.ts";
import { agreementOf, verdictOf } from "./schedule-verdict.ts";

const verdict = (config: ScheduleConfig) => verdictOf(scheduleFromConfig(config), config, "eps");

test("verdicts in order", () => {
  expect(verdict(scheduleConfig("linear"))).toMatchObject({ name: "no finding" });
  expect(verdict(scheduleConfig("cosine"))).toMatchObject({ name: "harmless remark" });
  expect(verdict(scheduleConfig("constant", { betaEnd: 0.01 }))).toMatchObject({ name: "warning" });
  const short = scheduleConfig("linear", { timesteps: 50 });
  expect(verdict(short).name).toBe("data left in x_T");
  expect(verdict(short).severity).toBe(scheduleSeverity(scheduleFromConfig(short)));
  expect(verdict(scheduleConfig("jsd")).name).toBe("warning");
});

test("matched schedules end in the same signal", () => {
  const signal = terminalSignal(linearSchedule());
  expect(signal).toBeCloseTo(4.0358297653756754e-5, 16);
  const betaEnd = matchedConstantBeta(signal, 100);
  expect(terminalSignal(constantSchedule({ timesteps: 100, betaEnd })) / signal).toBeCloseTo(1, 9);
  expect(matchedLinearEnd(signal, 1000, 1e-4)).toBeCloseTo(0.02, 12);
  const matched = linearSchedule({ timesteps: 20, betaStart: 0.005, betaEnd: matchedLinearEnd(signal, 20, 0.005) });
  expect(terminalSignal(matched) / signal).toBeCloseTo(1, 9);
});

test("agreement is found where it is, and only there", () => {
  const severities = [0, 0, 1, 1, 2, 2, 3.1, 3.3, 3.5, 3.8];
  const worse = severities.map((severity, i) => severity + i / 100);
  const agreeing = agreementOf(severities, worse);
  expect(agreeing?.spearman).toBeGreaterThan(0.98);
  expect(agreeing?.probability).toBeLessThan(0.001);
  expect(agreeing?.kendallInterval.low).toBeGreaterThan(0.8);
  expect(agreementOf(severities, worse.toReversed())?.spearman).toBeLessThan(-0.9);
  expect(agreementOf(severities, [5, 1, 4, 2, 3, 3.5, 1.5, 4.5, 2.5, 2.2])?.probability).toBeGreaterThan(0.2);
  expect(agreementOf(severities, worse)).toEqual(agreeing);
  expect(agreementOf([1, 2, 3], [1, 2, 3])).toBeUndefined();
  expect(agreementOf([0, 0, 0, 0], [1, 2, 3, 4])).toBeUndefined();
});

test("every schedule of the study can be trained, under a label of its own", () => {
  for (const scale of ["quick", "full"] as const) {
    const settings = scheduleSettings(scale);
    expect(new Set(settings.map(({ label }) => label)).size).toBe(settings.length);
    for (const { training } of settings) {
      const config = parseTrainingConfig({ ...training, data: "moons" });
      const { alphasCumprod } = scheduleFromConfig(config);
      expect((alphasCumprod.at(-1) ?? 0) > 0 || config.prediction === "v").toBe(true);
    }
  }
  expect(scheduleSettings("quick")).toHaveLength(9);
});
