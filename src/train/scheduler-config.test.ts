import { describe, expect, it } from "vitest";
import { varianceKinds } from "../diffusion/objectives/bound-terms.ts";
import { parameterisations } from "../diffusion/parameterisation.ts";
import {
  scheduleConfig,
  scheduleFromConfig,
  scheduleNames,
  type ScheduleConfig,
} from "../diffusion/schedules/schedule-config.ts";
import { processOf, schedulerFile, schedulerSchema, type ProcessFacts } from "./scheduler-config.ts";

const usual = { prediction: "eps", variance: "large", firstLogVariance: "second" } as const;

/** Facts after they were written as JSON and read again. */
function reread(facts: ProcessFacts): ProcessFacts {
  return processOf(schedulerSchema.parse(JSON.parse(JSON.stringify(schedulerFile(facts)))));
}

const betas = [0.01, 0.2, 0.5];
const given = (name: ScheduleConfig["schedule"]): Partial<ScheduleConfig> =>
  name === "custom" || name === "learned" ? { betas } : { timesteps: 40 };

describe("a scheduler's file", () => {
  it.each(scheduleNames)("keeps the betas of %s bit for bit", (name) => {
    const schedule = scheduleConfig(name, given(name));
    const facts = reread({ ...usual, schedule });
    expect(scheduleFromConfig(facts.schedule)).toEqual(scheduleFromConfig(schedule));
    expect(facts.schedule.schedule === "learned").toBe(name === "learned");
  });

  it.each<Partial<ScheduleConfig> & Pick<ScheduleConfig, "schedule">>([
    { schedule: "linear", betaStart: 0.003, betaEnd: 0.2 },
    { schedule: "linear", rescaleBetas: true, timesteps: 400 },
    { schedule: "scaled-linear", betaStart: 0.00085, betaEnd: 0.012, zeroTerminalSnr: true },
    { schedule: "cosine", zeroTerminalSnr: true },
    { schedule: "sigmoid", betaEnd: 0.1, zeroTerminalSnr: true },
    { schedule: "karras", sigmaMax: 20, zeroTerminalSnr: true },
    { schedule: "custom", betas, zeroTerminalSnr: true },
  ])("keeps %o", ({ schedule: name, ...options }) => {
    const schedule = scheduleConfig(name, { timesteps: name === "custom" ? null : 40, ...options });
    expect(scheduleFromConfig(reread({ ...usual, schedule }).schedule)).toEqual(scheduleFromConfig(schedule));
  });

  it("keeps what the network predicts and how its variance is written down", () => {
    const schedule = scheduleConfig("linear");
    for (const prediction of parameterisations)
      for (const variance of varianceKinds)
        for (const firstLogVariance of ["second", "beta", "clamp"] as const) {
          const facts = { prediction, variance, firstLogVariance };
          expect(reread({ ...facts, schedule })).toMatchObject(facts);
        }
  });

  it("has the names of diffusers where it has the family", () => {
    const named = ["linear", "scaled-linear", "cosine", "sigmoid"] as const;
    const names = named.map((schedule) => schedulerFile({ ...usual, schedule: scheduleConfig(schedule) }));
    expect(names.map((file) => [file["beta_schedule"], file.trained_betas])).toEqual([
      ["linear", null],
      ["scaled_linear", null],
      ["squaredcos_cap_v2", null],
      ["sigmoid", null],
    ]);
    const file = schedulerFile({
      ...usual,
      ...{ prediction: "v", variance: "learned-range" },
      schedule: scheduleConfig("linear", { timesteps: 500, rescaleBetas: true, zeroTerminalSnr: true }),
    });
    expect(file).toMatchObject({
      _class_name: "DDPMScheduler",
      num_train_timesteps: 500,
      beta_start: 2e-4,
      beta_end: 0.04,
      prediction_type: "v_prediction",
      variance_type: "learned_range",
      rescale_betas_zero_snr: true,
      clip_sample: false,
    });
  });

  it("reads a fixed variance of diffusers by either name, and none as small", () => {
    const file = schedulerFile({ ...usual, schedule: scheduleConfig("linear") });
    const { variance_type: _, ...without } = file;
    expect(processOf({ ...file, variance_type: "fixed_small_log" }).variance).toBe("small");
    expect(processOf({ ...file, variance_type: "fixed_large_log" }).variance).toBe("large");
    expect(processOf(without).variance).toBe("small");
  });
});
