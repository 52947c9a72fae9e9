import { expect, test } from "vitest";
import { scheduleFromConfig } from "../../diffusion/schedules/schedule-config.ts";
import { parseTrainingConfig } from "../../train/config.ts";
import { summarise, type Cell } from "../grid-results.ts";
import { scheduleFindings, type JudgedSchedule } from "./schedule-findings.ts";
import { scheduleSettings, type ScheduleSetting } from "./schedule-settings.ts";

const all = scheduleSettings("full");
const named = (label: string): ScheduleSetting =>
  all.filter((setting) => setting.label === label)[0] as ScheduleSetting;
const [linear, constant] = [named("linear"), named("constant, same ᾱ_T as linear")];

function judged(values: ReadonlyMap<ScheduleSetting, readonly number[]>): JudgedSchedule[] {
  const cells = [...values].flatMap(([setting, found]) =>
    found.map((value, seed): Cell => {
      const w2 = { name: "w2", label: "W2", value, floor: 1, ratio: value, better: "lower" } as const;
      return { data: "moons", setting, seed, metrics: [w2], steps: 1000, bound: undefined };
    }),
  );
  return summarise(cells).map((summary) => {
    const setting = summary.setting as ScheduleSetting;
    const schedule = scheduleFromConfig(parseTrainingConfig({ ...setting.training, data: "moons" }));
    return { setting, schedule, summary, verdict: { name: "no finding", severity: 0, findings: [] }, median: 1 };
  });
}

test("a difference that few seeds cannot tell from chance is not called one", () => {
  // The factor is 1.1 and 1.3 by turns: four standard errors from 1 with five seeds, a little over two with two.
  const factors = [1.1, 1.3, 1.1, 1.3, 1.1];
  const words = (seeds: number): string => {
    const found = factors.slice(0, seeds);
    return scheduleFindings(
      judged(
        new Map([
          [linear, found.map(() => 1)],
          [constant, found],
        ]),
      ),
      undefined,
    );
  };
  expect(words(5)).toContain("increasing is better at T = 1000");
  expect(words(2)).toContain("no difference that these seeds can tell from chance");
  expect(words(1)).toContain("no difference that these seeds can tell from chance");
});

test("ranges of β are those of schedules with as many steps as the best", () => {
  const short = named("cosine, T = 20");
  const found = scheduleFindings(
    judged(
      new Map([
        [linear, [1, 1]],
        [short, [1.1, 1.1]],
      ]),
    ),
    undefined,
  );
  expect(found).toContain("1 more are within 25 % of it");
  expect(found).toContain("Among the 1 of these good ones that have T = 1000");
  expect(found).toContain("the last step β_T is 0.02");
});
