import { expect, it } from "vitest";
import { rankingFigure, type RankingOptions, type RankingRow } from "./ranking.ts";
import { categories, colours } from "./theme.ts";

const count = (text: string, part: string): number => text.split(part).length - 1;
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");
const x = { label: "W2 (ratio to floor)" };
const row = (value: number, rest: Partial<RankingRow> = {}): RankingRow => ({ label: `row ${value}`, value, ...rest });
const draw = (rows: readonly RankingRow[], rest: Partial<RankingOptions> = {}): string =>
  rankingFigure({ title: "ranking", x, rows, ...rest });
const circles = (svg: string): { x: number; y: number; colour: string }[] =>
  [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)" r="[^"]*" fill="([^"]*)"/g)].map((match) => {
    return { x: Number(match[1]), y: Number(match[2]), colour: match[3] ?? "" };
  });

const three = [row(3, { group: "bad", error: 0.25 }), row(1.5, { group: "good" }), row(2, { group: "bad" })];

it("draws rows in the given order with label, number, group and reference", () => {
  const svg = draw(three, {
    reference: { value: 1, label: "floor" },
    errorBars: "bars: standard error",
    notes: ["Own."],
  });
  const said = ["ranking", "row 3", "3.00 ± 0.25", "1.50", "2.00", "floor", x.label, "Bars: standard error.", "Own."];
  expect(texts(svg)).toEqual(expect.arrayContaining(said));
  for (const label of ["bad", "good", "floor", "row 2"]) expect(count(svg, `>${label}<`)).toBe(1);
  const dots = circles(svg).slice(-3);
  expect(dots.map((dot) => dot.colour)).toEqual([categories[0], categories[1], categories[0]]);
  expect(dots.map((dot) => dot.y)).toEqual(dots.map((dot) => dot.y).toSorted((a, b) => a - b));
  expect(count(svg, `stroke="${colours.data}"`)).toBe(2);
  expect(draw(three)).toBe(draw(three));
  expect(svg).not.toMatch(/NaN|undefined|Infinity|<style|clip-path/);
});

it("keeps given colours of groups and needs no group", () => {
  const own = circles(
    draw([row(1, { group: "a", colour: colours.second }), row(2, { group: "a" }), row(3, { group: "b" })]),
  );
  expect(own.slice(-3).map((dot) => dot.colour)).toEqual([colours.second, colours.second, categories[0]]);
  expect(circles(draw([row(1), row(2)])).map((dot) => dot.colour)).toEqual([colours.samples, colours.samples]);
});

it("draws single values as faint dots and says so", () => {
  const svg = draw([row(2, { values: [1, 2, 3, Number.NaN] })]);
  expect(count(svg, "<circle")).toBe(4);
  expect(svg).toContain("Faint dots: the single values.");
  expect(svg).toContain("Not finite, so not drawn: 1 point.");
});

it("puts equal ratios at equal distances on a log axis and says what is not on it", () => {
  const [a, b, c] = circles(draw([row(1), row(10), row(100), row(0)], { x: { ...x, log: true } }));
  expect((b?.x ?? 0) - (a?.x ?? 0)).toBeCloseTo((c?.x ?? 0) - (b?.x ?? 0), 1);
  expect((b?.x ?? 0) - (a?.x ?? 0)).toBeGreaterThan(50);
  const svg = draw([row(1), row(0)], { x: { ...x, log: true } });
  expect(svg).toContain("Not positive, so not on a logarithmic axis: 1 point.");
});

it("cuts error bars at the axis and points to values beyond it", () => {
  const svg = draw([row(2, { error: 1e6 }), row(1e4), row(Number.NaN)], { x: { ...x, domain: [1, 3] } });
  const [left = 0, right = 0] = [...svg.matchAll(/<line x1="([^"]*)" x2="([^"]*)"[^>]*stroke="#d55e00"/g)].flatMap(
    (match) => [Number(match[1]), Number(match[2])],
  );
  const [start = 0, end = 0] =
    [...svg.matchAll(/<line x1="([^"]*)" x2="([^"]*)"[^>]*\/>/g)]
      .map((match) => [Number(match[1]), Number(match[2])])
      .find(([from = 0, to = 0]) => to - from > 300) ?? [];
  expect([left, right]).toEqual([start, end]);
  expect(right - left).toBeGreaterThan(300);
  expect(texts(svg)).toEqual(expect.arrayContaining(["▶", "not finite"]));
  expect(svg).toContain("Outside the axes: 1 point. Not finite, so not drawn: 1 point.");
});

it("keeps 34 characters of a label and 60 rows apart", () => {
  const label = "cosine, T = 1000, β 10⁻⁴…0.02, ab";
  expect(texts(draw([row(1, { label: label.padEnd(34, "c") })]))).toContain(label.padEnd(34, "c"));
  expect(texts(draw([row(1, { label: "a".repeat(90) })]))).toContain(`${"a".repeat(37)}…`);
  const dots = circles(draw(Array.from({ length: 60 }, (_, i) => row(i + 1))));
  expect(dots).toHaveLength(60);
  dots.slice(1).forEach((dot, i) => expect(dot.y - (dots[i]?.y ?? 0)).toBeCloseTo(20, 1));
});

it("repeats its axis above many rows", () => {
  const axes = (rows: number): number =>
    count(draw(Array.from({ length: rows }, (_, i) => row(i + 1))), "x-axis tick label");
  expect([axes(25), axes(26)]).toEqual([1, 2]);
});

it("writes numbers to three digits, errors to as many decimals", () => {
  const written = (value: number, error?: number): string | undefined =>
    texts(draw([row(value, { label: "r", ...(error === undefined ? {} : { error }) })])).at(-1);
  expect(written(1.2345)).toBe("1.23");
  expect(written(-123.4, 5)).toBe("−123 ± 5");
  expect(written(12.34, 0.02)).toBe("12.34 ± 0.02");
  expect(written(0.0123, 0.001)).toBe("0.0123 ± 0.0010");
  expect(written(2.5e-5)).toBe("2.50×10⁻⁵");
  expect(written(-3e6, 2e4)).toBe("(−3.00 ± 0.02)×10⁶");
  expect(written(0)).toBe("0.00");
});

it("refuses what it cannot draw with one line", () => {
  const refused: readonly (readonly [readonly RankingRow[], RegExp, Partial<RankingOptions>?])[] = [
    [[], /at least one row/],
    [[row(1, { error: -1 })], /row "row 1": expected an error ≥ 0, got -1/],
    [[row(1)], /increasing numbers, got 3, 2/, { x: { label: "x", domain: [3, 2] } }],
    [[row(1)], /> 0 on a log axis, got 0/, { x: { label: "x", log: true }, reference: { value: 0, label: "r" } }],
  ];
  for (const [rows, message, rest] of refused) {
    expect(() => draw(rows, rest)).toThrow(message);
    expect(() => draw(rows, rest)).toThrow(expect.objectContaining({ code: "data" }));
  }
});
