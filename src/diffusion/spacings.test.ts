import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { karrasSteps, logSnrSteps } from "./noise-level-steps.ts";
import { linearSchedule, logSnr, scheduleFromBetas, snr, type NoiseSchedule } from "./schedule.ts";
import { cosineSchedule } from "./schedules/cosine.ts";
import { geometricSchedule, karrasSchedule } from "./schedules/sigmas.ts";
import { rescaleToZeroTerminalSnr } from "./schedules/zero-terminal-snr.ts";
import { spacingNames, spacings } from "./spacings.ts";
import { distinctSteps, quadraticSteps } from "./steps.ts";

const schedules: [name: string, schedule: NoiseSchedule][] = [
  ["linear", linearSchedule()],
  ["cosine of 50", cosineSchedule({ timesteps: 50 })],
  ["zero terminal SNR", rescaleToZeroTerminalSnr(linearSchedule({ timesteps: 100 }))],
  ["one step", scheduleFromBetas([0.5])],
  ["one step, no signal", scheduleFromBetas([1])],
  ["two steps, the last without signal", scheduleFromBetas([0.5, 1])],
];

describe.each(spacingNames)("%s", (name) => {
  it.each(schedules)("gives N distinct steps, descending, for every N: %s", (_schedule, schedule) => {
    const { timesteps } = schedule;
    for (let count = 1; count <= timesteps; count += Math.ceil(timesteps / 60)) {
      const steps = spacings[name](schedule, count);
      expect(steps).toHaveLength(count);
      expect(steps.every((step, i) => step >= 0 && step < timesteps && (i === 0 || step < at(steps, i - 1)))).toBe(
        true,
      );
    }
    expect([...spacings[name](schedule, timesteps)]).toEqual(
      Array.from({ length: timesteps }, (_, i) => timesteps - 1 - i),
    );
  });

  it("starts at T−1, except leading", () => {
    for (const count of [1, 2, 10]) {
      const [first] = spacings[name](linearSchedule(), count);
      if (name === "leading") expect(first).toBeLessThan(999);
      else expect(first).toBe(999);
    }
  });

  it("rejects N outside 1…T", () => {
    for (const count of [0, 2.5, 1001, NaN]) expect(() => spacings[name](linearSchedule(), count)).toThrow(/steps/);
  });
});

describe("quadratic", () => {
  it("is c·i² where the squares are apart", () => {
    expect([...quadraticSteps(1000, 10)]).toEqual([999, 789, 604, 444, 308, 197, 111, 49, 12, 0]);
    expect([...quadraticSteps(82, 10)]).toEqual([81, 64, 49, 36, 25, 16, 9, 4, 1, 0]);
    expect([...quadraticSteps(10, 1)]).toEqual([9]);
  });

  it("begins 0, 1, 2 where they are not", () => {
    expect([...quadraticSteps(10, 8)]).toEqual([9, 7, 5, 4, 3, 2, 1, 0]);
  });
});

describe("levels of noise", () => {
  const sigma = (schedule: NoiseSchedule, step: number): number => 1 / Math.sqrt(snr(schedule, step));
  const apart = (steps: Int32Array): boolean => steps.every((step, i) => i === 0 || step < at(steps, i - 1) - 1);

  it("are every k-th step of a schedule that is made of them", () => {
    const everyTenth = Array.from({ length: 11 }, (_, i) => 100 - 10 * i);
    const karras = karrasSchedule({ timesteps: 101 });
    const geometric = geometricSchedule({ timesteps: 101 });
    expect([...karrasSteps(karras, 11)]).toEqual(everyTenth);
    expect([...logSnrSteps(geometric, 11)]).toEqual(everyTenth);
    expect([...karrasSteps(karras, 11, { rho: 3 })]).not.toEqual(everyTenth);
    expect([...logSnrSteps(karras, 11)]).not.toEqual(everyTenth);
  });

  it("are those of Karras's eq. 5 to the nearest step", () => {
    const schedule = linearSchedule();
    const steps = karrasSteps(schedule, 10);
    expect(apart(steps.subarray(0, 8))).toBe(true);
    const [low, high] = [sigma(schedule, 0) ** (1 / 7), sigma(schedule, 999) ** (1 / 7)];
    steps.subarray(0, 8).forEach((step, i) => {
      const wanted = (high + (i / 9) * (low - high)) ** 7;
      const miss = Math.abs(sigma(schedule, step) - wanted);
      for (const other of [step - 1, step + 1].filter((s) => s < 1000)) {
        expect(miss).toBeLessThanOrEqual(Math.abs(sigma(schedule, other) - wanted));
      }
    });
  });

  it("are even in log SNR to the nearest step", () => {
    const schedule = linearSchedule();
    const steps = logSnrSteps(schedule, 10);
    const [low, high] = [logSnr(schedule, 999), logSnr(schedule, 0)];
    steps.forEach((step, i) => {
      const wanted = low + (i / 9) * (high - low);
      const miss = Math.abs(logSnr(schedule, step) - wanted);
      for (const other of [step - 1, step + 1].filter((s) => s >= 0 && s < 1000)) {
        expect(miss).toBeLessThanOrEqual(Math.abs(logSnr(schedule, other) - wanted));
      }
    });
  });

  it("begin with pure noise where there is any, and span the rest", () => {
    const schedule = rescaleToZeroTerminalSnr(linearSchedule());
    for (const spaced of [karrasSteps, logSnrSteps]) {
      expect([...spaced(schedule, 1)]).toEqual([999]);
      expect([...spaced(schedule, 2)]).toEqual([999, 998]);
      const steps = spaced(schedule, 10);
      expect([steps[0], steps[1], steps[9]]).toEqual([999, 998, 0]);
    }
  });

  it("reject ρ ≤ 0", () => {
    for (const rho of [0, -1, NaN, Infinity]) {
      expect(() => karrasSteps(linearSchedule(), 10, { rho })).toThrow(/rho: expected a number > 0/);
    }
  });
});

describe("steps that coincide", () => {
  it("move apart and stay where they were apart", () => {
    expect([...distinctSteps(10, [0, 0, 0, 7])]).toEqual([7, 2, 1, 0]);
    expect([...distinctSteps(10, [9, 9, 9])]).toEqual([9, 8, 7]);
    expect([...distinctSteps(3, [1, 1, 1])]).toEqual([2, 1, 0]);
  });

  it("keep the order and the range, whatever they are", () => {
    const some = fc
      .integer({ min: 1, max: 40 })
      .chain((T) => fc.tuple(fc.constant(T), fc.array(fc.integer({ min: 0, max: T - 1 }), { maxLength: T })));
    fc.assert(
      fc.property(some, ([T, wanted]) => {
        wanted.sort((a, b) => a - b);
        const steps = distinctSteps(T, wanted);
        expect(steps).toHaveLength(wanted.length);
        expect(steps.every((step, i) => step >= 0 && step < T && (i === 0 || step < at(steps, i - 1)))).toBe(true);
        if (new Set(wanted).size === wanted.length) expect([...steps].reverse()).toEqual(wanted);
      }),
    );
  });
});
