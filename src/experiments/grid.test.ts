import { expect, test } from "vitest";
import type { MetricRow } from "../metrics/evaluate.ts";
import { curveOf, numericAxes, variedOptions, type Setting } from "./grid.ts";
import { axisCharts, rankingOn } from "./grid-figures.ts";
import { comparedWith, nearBest, summarise, type Cell } from "./grid-results.ts";
import { rankedTable, runsTable } from "./grid-tables.ts";
import { gridFindings } from "./grid-words.ts";

const setting = (batchSize: number, eta: number): Setting => ({
  label: `batch ${batchSize}, η ${eta}`,
  training: { batchSize, width: 64 },
  sampling: { sampler: "ddim", eta },
});
const settings = [setting(32, 0), setting(32, 1), setting(128, 0), setting(128, 1)];
const [a, b, c, d] = settings as [Setting, Setting, Setting, Setting];

const w2 = (value: number, floor: number): MetricRow => ({
  name: "w2",
  label: "W2",
  value,
  floor,
  ratio: value / floor,
  better: "lower",
});
const cell = (data: string, of: Setting, seed: number, value: number | undefined, floor = 1): Cell => ({
  data,
  setting: of,
  seed,
  metrics: value === undefined ? undefined : [w2(value, floor)],
  steps: 50,
  bound: undefined,
});

/** a: 2 and 8 on two sets; b: the same times 1.2 and 1.1; c failed once; d ran away once. */
const cells: readonly Cell[] = [
  ...[0, 1].flatMap((seed) => [cell("moons", a, seed, 2), cell("cross", a, seed, 8)]),
  ...[1.2, 1.1].flatMap((factor, seed) => [cell("moons", b, seed, 2 * factor), cell("cross", b, seed, 8 * factor)]),
  ...[0, 1].flatMap((seed) => [cell("moons", c, seed, 1), cell("cross", c, seed, seed === 0 ? undefined : 1)]),
  ...[0, 1].flatMap((seed) => [cell("moons", d, seed, 1), cell("cross", d, seed, seed === 0 ? 80 : 1)]),
];
const summaries = summarise(cells);

test("what varies, and what is an axis", () => {
  expect(variedOptions(settings)).toEqual(["train.batchSize", "sample.eta"]);
  expect(numericAxes(settings).map(({ option }) => option)).toEqual(["train.batchSize", "sample.eta"]);
  const [axis] = numericAxes(settings);
  expect(axis && settings.map((each) => curveOf(each, settings, axis))).toEqual(["eta 0", "eta 1", "eta 0", "eta 1"]);
  expect(axis && curveOf({ ...a, group: "G" }, settings, axis)).toBe("G");
  expect(numericAxes([a, { ...a, label: "hat", sampling: { sampler: "ddim", eta: "hat" } }])).toEqual([]);
});

test("the geometric mean over data sets ranks, divergence and failures come last", () => {
  expect(summaries.map((each) => each.setting)).toEqual([a, b, d, c]);
  expect(summaries.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
  expect(summaries[0]?.score?.mean).toBeCloseTo(4, 12);
  expect(summaries[1]?.score?.mean).toBeCloseTo(4 * Math.sqrt(1.2 * 1.1), 12);
  expect(summaries[3]?.failed).toBe(1);
  expect(nearBest(summaries).map((each) => each.setting)).toEqual([a, b]);
});

test("ratios stand over the mean floor of all seeds", () => {
  const [only] = summarise([cell("moons", a, 0, 3, 1), cell("moons", a, 1, 3, 2)]);
  expect(only?.perData[0]?.metrics.get("w2")?.ratios).toEqual([2, 2]);
  expect(only?.perData[0]?.metrics.get("w2")?.floor).toBe(1.5);
});

test("settings are compared seed by seed", () => {
  const [first, second] = summaries;
  const factor = first && second && comparedWith(second, first);
  const expected = Math.sqrt(1.2 * 1.1);
  expect(factor?.mean).toBeCloseTo(expected, 12);
  expect(factor?.standardError).toBeCloseTo((expected * Math.log(1.2 / 1.1)) / 2, 12);
});

test("findings name the best, what ran away and what failed", () => {
  const text = gridFindings(summaries);
  expect(text).toContain(
    "Best of 4 settings: batch 32, η 0, which reaches 4 ± 0 times the floor. One other is within 25 % of it.",
  );
  expect(text).toContain("Last of those that held: batch 32, η 1 with 4.6");
  expect(text).toContain("ran away from the data, and so ranked last: batch 128, η 1.");
  expect(text).toContain("Failed, and so ranked last: batch 128, η 0 (1 run).");
  expect(gridFindings(summarise([cell("moons", a, 0, undefined)]))).toMatch(/^No setting was measured.*\(1 run\)\.$/);
});

test("tables hold a row for each setting and each run, and no NaN", () => {
  expect(rankedTable(summaries).rows.map(([rank, label]) => [rank, label])).toEqual(
    [a, b, d, c].map(({ label }, i) => [i + 1, label]),
  );
  const runs = runsTable(cells);
  expect(runs.rows).toHaveLength(cells.length);
  expect(runs.rows.flat().every((each) => each === null || typeof each === "string" || Number.isFinite(each))).toBe(
    true,
  );
});

test("figures for each data set and each option with numbers", () => {
  const look = { settings };
  expect(axisCharts(summaries, look).map(({ name }) => name)).toEqual(["w2-against-batch-size", "w2-against-eta"]);
  expect(rankingOn(summaries, "moons", look)?.svg).toContain("batch 128, η 0");
  expect(rankingOn(summarise([cell("moons", a, 0, undefined)]), "moons", look)).toBeUndefined();
});
