import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { flowFigure, type FlowPanel } from "./flow.ts";
import { colours } from "./theme.ts";

/** All mass in the lowest bin at the first time, in the highest at the last. */
const panel = (more: Partial<FlowPanel> = {}): FlowPanel => ({
  label: "forward",
  times: [0, 100, 400],
  densities: [2, 0, 0, 0, 8, 0, 0, 0, 4],
  bins: 3,
  y: [-1, 1],
  tone: "data",
  ...more,
});
const draw = (panels: readonly FlowPanel[], more: object = {}): string =>
  flowFigure({ title: "flow", panels, xLabel: "timestep t", yLabel: "u (m)", valueLabel: "density", ...more });
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");
const occurrences = (svg: string, part: string): number => svg.split(part).length - 1;

/** The colour at a place (shares of the width and, from below, of the height) of the last picture. */
function colourAt(svg: string, x: number, y: number): string {
  const found = [...svg.matchAll(/href="data:image\/png;base64,([^"]*)"/g)].at(-1)?.[1] ?? "";
  const { width, height, data } = decode(Buffer.from(found, "base64"));
  const start = 4 * (Math.floor((1 - y) * height) * width + Math.floor(x * width));
  return `#${Buffer.from(data.slice(start, start + 3)).toString("hex")}`;
}

describe("flow pictures", () => {
  it("have a picture a panel, a colour bar a tone, two strokes a path, and names", () => {
    const paths = [
      [0, 0.5, 0.9],
      [0, -0.5, 0.3],
    ];
    const panels = [panel({ paths }), panel({ label: "reverse", tone: "samples" })];
    const svg = draw(panels, { notes: ["more"] });
    expect(occurrences(svg, "<image")).toBe(4);
    expect(occurrences(svg, 'stroke-width="0.9"')).toBe(2);
    expect(texts(svg)).toEqual(
      expect.arrayContaining(["flow", "forward", "reverse", "data", "samples", "timestep t", "u (m)", "single paths"]),
    );
    expect(texts(svg)).toEqual(expect.arrayContaining(["density / its maximum at that time", "more"]));
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(draw(panels, { notes: ["more"] })).toBe(svg);
  });

  it("show each time by its own maximum, or all by one", () => {
    const column = draw([panel()]);
    expect(colourAt(column, 0.01, 0.1)).toBe(colours.data);
    expect(colourAt(column, 0.99, 0.9)).toBe(colours.data);
    expect(colourAt(column, 0.01, 0.9)).toBe("#ffffff");
    const all = draw([panel()], { normalise: "all" });
    expect(colourAt(all, 0.25, 0.5)).toBe(colours.data);
    expect(colourAt(all, 0.01, 0.1)).not.toBe(colours.data);
    expect(texts(all)).toEqual(expect.arrayContaining(["density", "8", "One colour scale for all times."]));
  });

  it("give each moment the time that is nearest, on even and uneven steps", () => {
    const svg = draw([panel()]);
    expect([0.12, 0.13, 0.62, 0.63].map((x) => colourAt(svg, x, 0.5))).toEqual([
      "#ffffff",
      colours.data,
      colours.data,
      "#ffffff",
    ]);
  });

  it("do not depend on the order of times, and turn with the axis", () => {
    const falling = panel({ times: [400, 100, 0], densities: [0, 0, 4, 0, 8, 0, 2, 0, 0] });
    expect(draw([falling])).toBe(draw([panel()]));
    const turned = draw([panel()], { reverseTime: true });
    expect(colourAt(turned, 0.99, 0.1)).toBe(colours.data);
    expect(colourAt(turned, 0.01, 0.9)).toBe(colours.data);
    const places = [...turned.matchAll(/translate\(([\d.]+),[\d.]+\)[^>]*>([1-4]00)</g)]
      .map(([, place, tick]) => ({ place: Number(place), tick: Number(tick) }))
      .sort((a, b) => a.place - b.place);
    expect(places.map(({ tick }) => tick)).toEqual([400, 300, 200, 100]);
  });

  it("break paths that leave the axis and say so; times without mass are white", () => {
    const svg = draw([panel({ paths: [[0, 7, 0]], densities: [0, 0, 0, 0, 0, 0, 0, 0, 0] })]);
    expect(texts(svg)).toContain("Paths are not drawn where they leave the axis.");
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(colourAt(svg, 0.5, 0.5)).toBe("#ffffff");
  });

  it("refuse what cannot be drawn with one line", () => {
    expect(() => draw([])).toThrow(/at least one panel/);
    expect(() => draw([panel({ bins: 4 })])).toThrow(/expected times × bins densities, got 9 for 3 × 4/);
    expect(() => draw([panel({ times: [0, 0, 1] })])).toThrow(/rising or falling order/);
    expect(() => draw([panel({ times: [0, NaN, 1] })])).toThrow(/rising or falling order/);
    expect(() => draw([panel({ times: [5], densities: [1, 1, 1] })])).toThrow(/at least two finite times/);
    expect(() => draw([panel({ densities: [2, 0, 0, 0, -8, 0, 0, 0, 4] })])).toThrow(/densities ≥ 0, got -8/);
    expect(() => draw([panel({ paths: [[1, 2]] })])).toThrow(/paths of 3 values, one a time, got one of 2/);
    expect(() => draw([panel({ y: [1, 0] })])).toThrow(/low < high/);
  });
});
