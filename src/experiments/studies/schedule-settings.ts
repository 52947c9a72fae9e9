import { linearSchedule } from "../../diffusion/schedule.ts";
import type { ScheduleName } from "../../diffusion/schedules/schedule-config.ts";
import type { Setting } from "../grid.ts";
import type { Scale, TrainingChoice } from "../study.ts";
import { matchedConstantBeta, matchedLinearEnd, terminalSignal } from "./matched-schedule.ts";

/** A schedule to try, and what it is compared for. */
export interface ScheduleSetting extends Setting {
  readonly group: ScheduleName;
  /** Comparisons in which it takes part. */
  readonly part: readonly ("range" | "start" | "length" | "family")[];
  /** Whether small studies have it too. */
  readonly quick: boolean;
}

/** ᾱ_T of the usual linear schedule. */
const USUAL = terminalSignal(linearSchedule());

function setting(
  label: string,
  group: ScheduleName,
  training: TrainingChoice,
  part: ScheduleSetting["part"],
  quick = false,
): ScheduleSetting {
  return {
    label,
    group,
    training: { timesteps: 1000, ...training, schedule: group },
    sampling: { sampler: "ddpm" },
    part,
    quick,
  };
}

const QUICK_RANGES: readonly number[] = [0.00015, 0.002, 0.02, 0.2];

/** Linear schedules of T = 1000 with more and less noise. */
const ranges = [0.00015, 0.0005, 0.002, 0.005, 0.02, 0.05, 0.2].map((betaEnd) =>
  setting(
    betaEnd === 0.02 ? "linear" : `linear, β_T = ${betaEnd}`,
    "linear",
    { betaEnd },
    betaEnd === 0.02 ? ["range", "start", "length", "family"] : ["range"],
    QUICK_RANGES.includes(betaEnd),
  ),
);

/** Linear schedules of T = 1000 that start at another β_1 and end in the same ᾱ_T as the usual one, up to the constant one. */
const starts = [
  ...[1e-5, 1e-3, 5e-3].map((betaStart) =>
    setting(
      `linear, β₁ = ${betaStart}, same ᾱ_T`,
      "linear",
      { betaStart, betaEnd: matchedLinearEnd(USUAL, 1000, betaStart) },
      ["start"],
    ),
  ),
  setting(
    "constant, same ᾱ_T as linear",
    "constant",
    { betaEnd: matchedConstantBeta(USUAL, 1000) },
    ["start", "length", "family"],
    true,
  ),
];

const families = [
  setting("cosine", "cosine", {}, ["length", "family"], true),
  setting("scaled linear", "scaled-linear", {}, ["family"]),
  setting("sigmoid", "sigmoid", {}, ["family"]),
  setting("warm-up 10 %", "warmup10", {}, ["family"]),
  setting("warm-up 50 %", "warmup50", {}, ["family"]),
  setting("exponential", "exponential", {}, ["family"]),
  setting("geometric σ", "geometric", {}, ["family"]),
  setting("Karras σ", "karras", {}, ["family"]),
];

/** Where ᾱ_T = 0, ε says nothing about the data, so these predict v, as does the usual schedule beside them. */
const zeroTerminal = [
  setting("linear, v", "linear", { prediction: "v" }, []),
  setting("linear, ᾱ_T = 0, v", "linear", { prediction: "v", zeroTerminalSnr: true }, []),
  setting("JSD, ᾱ_T = 0, v", "jsd", { prediction: "v" }, ["family"]),
];

/** Below 50 steps, β_T times 1000/T would reach 1; these start at 0.1/T, as the others, and end in the usual ᾱ_T. */
const shortLinear = [10, 20].map((timesteps) => {
  const betaStart = 0.1 / timesteps;
  const training = { timesteps, betaStart, betaEnd: matchedLinearEnd(USUAL, timesteps, betaStart) };
  return setting(`linear, T = ${timesteps}`, "linear", training, ["length"]);
});

const lengths = [
  ...shortLinear,
  ...[50, 100, 200].map((timesteps) =>
    setting(`linear, T = ${timesteps}`, "linear", { timesteps, rescaleBetas: true }, ["length"], timesteps === 100),
  ),
  ...[10, 20, 50, 100, 200].map((timesteps) =>
    setting(`cosine, T = ${timesteps}`, "cosine", { timesteps }, ["length"], timesteps === 20),
  ),
  ...[20, 100].map((timesteps) => {
    const betaEnd = matchedConstantBeta(USUAL, timesteps);
    return setting(`constant, T = ${timesteps}`, "constant", { timesteps, betaEnd }, ["length"]);
  }),
  ...[10, 50, 100].map((timesteps) =>
    setting(`linear, T = ${timesteps}, usual β`, "linear", { timesteps }, [], timesteps === 10),
  ),
];

/** Schedules of a study of that size. */
export function scheduleSettings(scale: Scale): readonly ScheduleSetting[] {
  const all = [...ranges, ...starts, ...families, ...zeroTerminal, ...lengths];
  return scale === "full" ? all : all.filter(({ quick }) => quick);
}
