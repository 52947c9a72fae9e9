import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { chartFigure, type ChartOptions } from "./chart.ts";
import type { ChartSeries } from "./chart-series.ts";
import { categories, colours } from "./theme.ts";

const count = (text: string, part: string): number => text.split(part).length - 1;
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");

const one: ChartSeries = { label: "DDIM", x: [1, 2, 3], y: [2, 3, 4] };
const panel = (...series: ChartSeries[]): ChartOptions["panels"][number] => ({
  x: { label: "number of steps" },
  y: { label: "W2" },
  series,
});
const draw = (panels: ChartOptions["panels"], rest: Partial<ChartOptions> = {}): string =>
  chartFigure({ title: "chart", panels, ...rest });

/** Vertical extents of error bars, in px of their panel. */
const bars = (svg: string): [number, number][] =>
  [...svg.matchAll(/<line x1="([^"]*)" x2="\1" y1="([^"]*)" y2="([^"]*)"/g)]
    .map((match): [number, number] => [Number(match[2]), Number(match[3])])
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
const barMarks = (svg: string): string =>
  [...svg.matchAll(/<g aria-label="rule" [^>]*stroke-opacity="0.8"[^>]*>.*?<\/g>/gs)].map((match) => match[0]).join("");
const [TOP, BOTTOM] = [8, 380 - 44];

describe("structure", () => {
  const svg = draw([panel(one), { ...panel(one, { ...one, label: "DDPM" }), title: "second" }, panel(one)], {
    errorBars: "bars: standard error over 5 seeds",
    notes: ["By hand."],
  });

  it("says what it shows and names each label once", () => {
    expect(texts(svg)).toEqual(
      expect.arrayContaining(["chart", "second", "number of steps", "W2", "DDPM", "By hand."]),
    );
    expect(texts(svg)).toContain("Bars: standard error over 5 seeds.");
    expect(count(svg, ">DDIM<")).toBe(1);
    expect(count(svg, ">number of steps<")).toBe(3);
    expect(svg).not.toMatch(/NaN|undefined|Infinity|<style|clip-path/);
  });

  it("gives a label one colour in all panels, and the same bytes again", () => {
    const curves = [...svg.matchAll(/<g aria-label="line"[^>]*stroke="([^"]*)"/g)].map((match) => match[1]);
    expect(curves).toEqual([categories[0], categories[0], categories[1], categories[0]]);
    const again = draw([panel(one), { ...panel(one, { ...one, label: "DDPM" }), title: "second" }, panel(one)], {
      errorBars: "bars: standard error over 5 seeds",
      notes: ["By hand."],
    });
    expect(again).toBe(svg);
  });

  it("lays panels out in one to three columns, or as asked", () => {
    const tops = (columns?: number): number[] => {
      const shown = draw(
        Array<ChartOptions["panels"][number]>(6).fill(panel(one)),
        columns === undefined ? {} : { columns },
      );
      return [
        ...shown.matchAll(
          /<g transform="translate\(\d+,([\d.]+)\)" text-anchor|text-anchor="middle" font-size="11" transform="translate\(\d+,([\d.]+)\)"/g,
        ),
      ].map((match) => Number(match[1] ?? match[2]));
    };
    expect(new Set(tops()).size).toBe(2);
    expect(new Set(tops(2)).size).toBe(3);
  });

  it("marks vertices up to 30, or as asked", () => {
    const long = { ...one, x: Array.from({ length: 31 }, (_, i) => i), y: Array.from({ length: 31 }, () => 1) };
    expect(count(draw([panel(one)]), "<circle")).toBe(3);
    expect(count(draw([panel(long)]), "<circle")).toBe(0);
    expect(count(draw([panel({ ...long, dots: true })]), "<circle")).toBe(31);
  });
});

describe("styles", () => {
  it("keep given colours, give others the rest of the palette, then dashes", () => {
    const given = at(categories, 1);
    const series = Array.from({ length: 12 }, (_, i) => ({ ...one, label: `s${i}` }));
    const svg = draw([panel({ ...one, label: "own", colour: given }, ...series)]);
    const lines = [...svg.matchAll(/<g aria-label="line"[^>]*>/g)].map((match) => match[0]);
    const looks = lines.map((each) => /stroke="[^"]*".*stroke-dasharray="[^"]*"/.exec(each)?.[0] ?? each);
    expect(looks).toHaveLength(13);
    expect(new Set(looks).size).toBe(13);
    expect(lines.filter((each) => each.includes(given))).toHaveLength(1);
    expect(count(svg, 'stroke-dasharray="6 3"')).toBe(2 * 3);
  });

  it("draw the first reference in the data's blue, with its own entry", () => {
    const svg = draw([
      {
        ...panel(one),
        references: [
          { y: 1, label: "floor" },
          { x: 2, label: "choice" },
        ],
      },
    ]);
    expect(count(svg, ">floor<")).toBe(1);
    expect(count(svg, `stroke="${colours.data}"`)).toBe(2);
    expect(count(svg, ">choice<")).toBe(1);
  });

  it("draw bands as areas, and errors of many points too", () => {
    const x = Array.from({ length: 61 }, (_, i) => i);
    const many = { label: "many", x, y: x, error: x.map(() => 1) };
    expect(count(draw([panel(many)]), 'aria-label="area"')).toBe(1);
    expect(barMarks(draw([panel(many)]))).toBe("");
    expect(count(draw([panel({ ...one, band: { low: [1, 2, 3], high: [3, 4, 5] } })]), 'aria-label="area"')).toBe(1);
  });
});

describe("axes", () => {
  it("draw equal ratios as equal lengths on log axes and label explicit ticks", () => {
    const x = [5, 10, 20, 50, 100, 200, 500, 1000];
    const svg = draw([
      {
        ...panel({ label: "s", x: [10, 100, 1000], y: [1, 2, 3] }),
        x: { label: "steps", log: true, ticks: x, domain: [4, 1200] },
      },
    ]);
    const [a = 0, b = 0, c = 0] = [...svg.matchAll(/<circle cx="([^"]*)"/g)].map((match) => Number(match[1]));
    expect(b - a).toBeCloseTo(c - b, 1);
    expect(b - a).toBeGreaterThan(50);
    expect(texts(svg)).toEqual(expect.arrayContaining([...x.map(String), "steps (log scale)"]));
  });

  it("leave out the labels of ticks that would meet, never the last", () => {
    const ticks = [0, 10, 20, 50, 100, 500, 1000];
    const svg = draw([{ ...panel({ label: "s", x: [0, 1000], y: [1, 2] }), x: { label: "x", ticks } }], { columns: 3 });
    const shown = texts(svg);
    expect(shown).toEqual(expect.arrayContaining(["500", "1000"]));
    expect(shown.filter((text) => ["0", "10", "20", "50"].includes(text)).length).toBeLessThan(3);
  });

  it("label log axes of any width", () => {
    for (const y of [
      [3.2, 4.9],
      [1e-8, 10],
      [0.7, 30],
      [2, 2.01],
    ]) {
      const svg = draw([{ ...panel({ label: "s", x: [1, 2], y }), y: { label: "y", log: true } }]);
      const axis = /<g aria-label="y-axis tick label".*?<\/g>/s.exec(svg)?.[0] ?? "";
      expect(texts(axis).filter((text) => text !== "").length).toBeGreaterThanOrEqual(3);
    }
  });
});

describe("clipping", () => {
  const errors = { ...one, error: [0.1, 50, 0.1] };

  it("keeps error bars inside a given and a computed domain", () => {
    for (const domain of [undefined, [1, 5] as const]) {
      const y = { label: "W2", ...(domain ? { domain } : {}) };
      const drawn = bars(barMarks(draw([{ ...panel(errors), y }])));
      expect(drawn).toHaveLength(3);
      expect(Math.min(...drawn.flat())).toBeGreaterThanOrEqual(TOP);
      expect(Math.max(...drawn.flat())).toBeLessThanOrEqual(BOTTOM);
    }
    const free = bars(barMarks(draw([{ ...panel(errors), y: { label: "W2", domain: [-100, 100] } }])));
    expect(at(free, 1)[1] - at(free, 1)[0]).toBeCloseTo(((BOTTOM - TOP) * 100) / 200, 0);
  });

  it("cuts bars that reach 0 at the foot of a log axis, without a cap there", () => {
    const axis = { label: "W2", log: true, domain: [1, 10] } as const;
    const svg = draw([{ ...panel({ ...one, error: [2, 3, 0.5] }), y: axis }]);
    const drawn = bars(barMarks(svg));
    expect(drawn.map(([, low]) => low)).toEqual([BOTTOM, BOTTOM, expect.any(Number)]);
    expect(at(drawn, 2)[1]).toBeLessThan(BOTTOM);
    const caps = [...barMarks(svg).matchAll(/<line x1="([^"]*)" x2="([^"]*)"/g)].filter(
      (match) => match[1] !== match[2],
    );
    expect(caps).toHaveLength(3 + 1);
  });

  it("cuts curves at the axes where they cross them, and counts what lies outside", () => {
    const svg = draw([{ ...panel({ label: "s", x: [0, 1, 2], y: [0, 10, 0] }), y: { label: "y", domain: [0, 5] } }]);
    const path = /<g aria-label="line".*?<path d="([^"]*)"/s.exec(svg)?.[1] ?? "";
    const ys = [...path.matchAll(/,([\d.]+)/g)].map((match) => Number(match[1]));
    const paths = [...(/<g aria-label="line".*?<\/g>/s.exec(svg)?.[0] ?? "").matchAll(/<path/g)];
    expect(ys).toEqual([BOTTOM, TOP]);
    expect(paths).toHaveLength(2);
    expect(svg).toContain("Outside the axes: 1 point.");
  });

  it("leaves out and counts values that are missing or not positive, and breaks the curve there", () => {
    const y = [1, Number.NaN, 2, 3, Infinity, 4];
    const svg = draw([panel({ label: "s", x: [1, 2, 3, 4, 5, 6], y, dots: false })]);
    expect(svg).toContain("Not finite, so not drawn: 2 points.");
    expect(count(svg, "<circle")).toBe(2);
    const log = draw([{ ...panel({ label: "s", x: [1, 2, 3], y: [1, 0, -1] }), y: { label: "y", log: true } }]);
    expect(log).toContain("Not positive, so not on a logarithmic axis: 2 points.");
    expect(() => draw([panel({ label: "s", x: [1], y: [Number.NaN] })])).not.toThrow();
  });

  it("thins long curves but keeps their spikes", () => {
    const x = Array.from({ length: 20_000 }, (_, i) => i);
    const y = x.map((i) => (i === 12_345 ? 9 : 1));
    const svg = draw([{ ...panel({ label: "s", x, y }), y: { label: "y", domain: [0, 9] } }]);
    expect(svg.length).toBeLessThan(40_000);
    const path = /<g aria-label="line".*?<path d="([^"]*)"/s.exec(svg)?.[1] ?? "";
    expect(Math.min(...[...path.matchAll(/,([\d.]+)/g)].map((match) => Number(match[1])))).toBe(TOP);
  });
});

it("refuses what it cannot draw with one line", () => {
  const refused: readonly (readonly [ChartOptions["panels"], RegExp, Partial<ChartOptions>?])[] = [
    [[], /at least one panel/],
    [[panel()], /panel 1: expected at least one series/],
    [[panel({ ...one, y: [1] })], /series "DDIM": expected x, y, error and band of one length ≥ 1, got 3, 1/],
    [[panel({ ...one, x: [], y: [] })], /length ≥ 1/],
    [[panel({ ...one, band: { low: [1], high: [1, 2, 3] } })], /one length/],
    [[panel({ ...one, error: [0, -1, 0] })], /errors ≥ 0, got -1 at position 1/],
    [
      [{ ...panel(one), y: { label: "y", domain: [2, 2] } }],
      /y axis: expected a domain of two increasing numbers, got/,
    ],
    [[{ ...panel(one), x: { label: "x", log: true, domain: [0, 2] } }], /increasing numbers > 0/],
    [[{ ...panel(one), x: { label: "x", log: true, ticks: [0, 1] } }], /finite ticks > 0, got 0/],
    [[{ ...panel(one), references: [{ label: "r" }] }], /either x or y, got none/],
    [[{ ...panel(one), references: [{ label: "r", x: 1, y: 1 }] }], /either x or y, got both/],
    [[{ ...panel(one), y: { label: "y", log: true }, references: [{ label: "r", y: 0 }] }], /> 0 on a log axis, got 0/],
    [[panel(one)], /columns to be an integer in 1…4, got 0/, { columns: 0 }],
  ];
  for (const [panels, message, rest] of refused) {
    expect(() => draw(panels, rest)).toThrow(message);
    expect(() => draw(panels, rest)).toThrow(expect.objectContaining({ code: "data" }));
    expect(() => draw(panels, rest)).not.toThrow(/\n/);
  }
});
