import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError, at } from "../../math/error.ts";
import { linearSchedule, logSnr } from "../schedule.ts";
import { optionsOfSchedule, scheduleConfig, scheduleFromConfig, scheduleNames } from "./schedule-config.ts";

const made = scheduleNames.filter((name) => name !== "custom" && name !== "learned");
const withRange = made.filter((name) => optionsOfSchedule(name).includes("betaStart"));

describe("any schedule as data", () => {
  const configs = fc
    .record({
      name: fc.constantFrom(...made),
      timesteps: fc.integer({ min: 1, max: 300 }),
      betaStart: fc.option(fc.double({ min: 1e-6, max: 0.01, noNaN: true })),
      betaEnd: fc.option(fc.double({ min: 0.011, max: 0.3, noNaN: true })),
      zeroTerminalSnr: fc.boolean(),
    })
    .map(({ name, timesteps, betaStart, betaEnd, zeroTerminalSnr }) => {
      const takes = optionsOfSchedule(name);
      return scheduleConfig(name, {
        timesteps,
        betaStart: takes.includes("betaStart") ? betaStart : null,
        betaEnd: takes.includes("betaEnd") ? betaEnd : null,
        zeroTerminalSnr: zeroTerminalSnr && timesteps > 1,
      });
    });

  it("has betas in range, falling ᾱ and log SNR, and variances that add up to 1", () => {
    fc.assert(
      fc.property(configs, (config) => {
        const schedule = scheduleFromConfig(config);
        const { timesteps, betas, alphasCumprod, noiseVariances } = schedule;
        expect(timesteps).toBe(config.timesteps);
        if (config.zeroTerminalSnr)
          expect([at(alphasCumprod, timesteps - 1), at(noiseVariances, timesteps - 1)]).toEqual([0, 1]);
        betas.forEach((beta, step) => {
          expect(beta > 0 && (beta < 1 || (beta === 1 && step === timesteps - 1))).toBe(true);
          // Each of the two sums and products adds at most one rounding a step.
          expect(Math.abs(at(alphasCumprod, step) + at(noiseVariances, step) - 1)).toBeLessThan(
            2 ** -53 * (2 * step + 4),
          );
          if (step > 0) expect(at(alphasCumprod, step)).toBeLessThan(at(alphasCumprod, step - 1));
          if (step > 0) expect(logSnr(schedule, step)).toBeLessThan(logSnr(schedule, step - 1));
        });
      }),
      { numRuns: 150 },
    );
  });

  it("keeps the first ᾱ when rescaled", () => {
    for (const name of made) {
      const plain = scheduleFromConfig(scheduleConfig(name, { timesteps: 40 }));
      const rescaled = scheduleFromConfig(scheduleConfig(name, { timesteps: 40, zeroTerminalSnr: true }));
      expect(at(rescaled.alphasCumprod, 0)).toBe(at(plain.alphasCumprod, 0));
      expect(at(rescaled.alphasCumprod, 39)).toBe(0);
    }
  });

  it("uses each family's own T and range where left out", () => {
    for (const name of made) expect(scheduleFromConfig(scheduleConfig(name)).timesteps).toBe(1000);
    expect(scheduleFromConfig(scheduleConfig("linear"))).toEqual(linearSchedule());
  });

  it("is carried by its betas without loss", () => {
    const schedule = scheduleFromConfig(scheduleConfig("karras", { timesteps: 25 }));
    const text = JSON.stringify(scheduleConfig("learned", { timesteps: 25, betas: [...schedule.betas] }));
    expect(scheduleFromConfig(JSON.parse(text) as ReturnType<typeof scheduleConfig>)).toEqual(schedule);
  });

  it("ignores other keys, as those of a training configuration", () => {
    const config = { ...scheduleConfig("cosine"), learningRate: 1 };
    expect(scheduleFromConfig(config).timesteps).toBe(1000);
  });
});

describe("options", () => {
  it.each(withRange)("%s takes its range", (name) => {
    const range = { timesteps: 100, betaStart: 0.001, betaEnd: 0.3 };
    const plain = scheduleFromConfig(scheduleConfig(name, range));
    expect(Math.abs(at(plain.betas, 99) / 0.3 - 1)).toBeLessThan(0.01);
    const rescaled = scheduleFromConfig(scheduleConfig(name, { ...range, betaEnd: 0.03, rescaleBetas: true }));
    expect(Math.abs(at(rescaled.betas, 99) / 0.3 - 1)).toBeLessThan(0.01);
  });

  it.each([
    [
      "cosine",
      { betaStart: 1e-3 },
      /betaStart: schedule cosine has no use for it; it takes timesteps, zeroTerminalSnr$/,
    ],
    ["linear", { sigmaMax: 80 }, /sigmaMax: schedule linear has no use/],
    ["karras", { rescaleBetas: true }, /rescaleBetas: schedule karras/],
    ["constant", { betaStart: 0.1 }, /betaStart: schedule constant has no use for it; it takes timesteps, betaEnd/],
    ["jsd", { betas: [0.1] }, /betas: schedule jsd/],
    ["learned", { betas: [0.1, 0.2], zeroTerminalSnr: true }, /zeroTerminalSnr: schedule learned/],
    ["custom", {}, /betas: .*give β_1…β_T/],
    ["learned", {}, /betas: .*training/],
    ["custom", { betas: [0.1, 0.2], timesteps: 3 }, /timesteps: got 3, but there are 2 betas/],
    ["custom", { betas: [0.1, 2] }, /betas\[1\]/],
  ] as const)("%s refuses %j", (name, options, message) => {
    const build = (): unknown => scheduleFromConfig(scheduleConfig(name, options));
    expect(build).toThrow(message);
    expect(build).toThrow(UnnoiseError);
  });
});
