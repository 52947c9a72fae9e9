import { decode } from "fast-png";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnnoiseError } from "../math/error.ts";
import { heatmapFigure, type HeatmapPanel } from "./heatmap.ts";
import { base64 } from "./picture.ts";
import { colours } from "./theme.ts";

const panel = (label: string, values: readonly number[] = [0, 1, 2, 4, 3, 2]): HeatmapPanel => ({
  label,
  values,
  columns: 3,
  rows: 2,
  x: [-3, 3],
  y: [0, 4],
});
const draw = (panels: readonly HeatmapPanel[], more: object = {}): string =>
  heatmapFigure({ title: "densities", panels, valueLabel: "density", columnNames: ["a (m)", "b (m)"], ...more });
const occurrences = (svg: string, part: string): number => svg.split(part).length - 1;
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");

/** Colours of the corners of the picture number `index`: lower left, lower right, upper left, upper right. */
function corners(svg: string, index: number): string[] {
  const found = [...svg.matchAll(/href="data:image\/png;base64,([^"]*)"/g)][index]?.[1] ?? "";
  const { width, height, data } = decode(Buffer.from(found, "base64"));
  const colour = (x: number, y: number): string =>
    `#${Buffer.from(data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)).toString("hex")}`;
  const [right, low] = [width - 1, height - 1];
  return [colour(0, low), colour(right, low), colour(0, 0), colour(right, 0)];
}

describe("heat map", () => {
  it("has a picture for each panel and one for the colour bar, axes and names", () => {
    const svg = draw([panel("t = 0"), panel("t = 9")], { notes: ["a <note>"] });
    expect(occurrences(svg, "<image")).toBe(3);
    expect(texts(svg)).toEqual(expect.arrayContaining(["densities", "t = 0", "t = 9", "a (m)", "b (m)", "density"]));
    expect(texts(svg)).toEqual(expect.arrayContaining(["0", "1", "2", "3", "4"]));
    expect(svg).toContain("a &lt;note&gt;");
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(draw([panel("t = 0"), panel("t = 9")], { notes: ["a <note>"] })).toBe(svg);
  });

  it("draws row 0 lowest, white for 0, the full colour for the largest value of all panels", () => {
    const [low, high] = [panel("low", [0, 0, 0, 4, 0, 0]), panel("high", [0, 0, 8, 0, 0, 0])];
    const half = corners(draw([low, high]), 1);
    expect(half.slice(0, 2)).toEqual(["#ffffff", "#ffffff"]);
    expect(half[2]).not.toBe(colours.data);
    expect(corners(draw([low, high]), 2)).toEqual(["#ffffff", colours.data, "#ffffff", "#ffffff"]);
    const own = draw([low, high], { shareScale: false, tone: "samples" });
    expect(corners(own, 1)[2]).toBe(colours.samples);
    expect(texts(own)).toEqual(
      expect.arrayContaining(["low (1 = 4)", "high (1 = 8)", "density / largest of the panel"]),
    );
  });

  it("puts zero in the middle when signed", () => {
    const svg = draw([panel("difference", [-4, 0, 0, 1, 0, 4])], { tone: "signed" });
    const [first, second, third, fourth] = corners(svg, 1);
    expect([first, second, fourth]).toEqual([colours.data, "#ffffff", colours.samples]);
    expect(third).not.toBe("#ffffff");
    expect(texts(svg)).toEqual(expect.arrayContaining(["−4", "4"]));
  });

  it("places panels of different extents on the same axes", () => {
    const svg = draw([panel("wide"), { ...panel("half"), x: [0, 3], y: [0, 2] }]);
    const sizes = [...svg.matchAll(/<image[^>]*? width="([\d.]+)" height="([\d.]+)"/g)].map((match) =>
      match.slice(1).map(Number),
    );
    expect(sizes).toHaveLength(3);
    expect((sizes[1]?.[0] ?? 0) / (sizes[2]?.[0] ?? 1)).toBeCloseTo(2, 3);
    expect((sizes[1]?.[1] ?? 0) / (sizes[2]?.[1] ?? 1)).toBeCloseTo(2, 3);
  });

  it("draws a grid of nothing but zeros", () => {
    expect(corners(draw([panel("empty", [0, 0, 0, 0, 0, 0])]), 1)).toEqual(Array(4).fill("#ffffff"));
  });

  it("refuses what it cannot draw with one line", () => {
    const refused = (panels: readonly HeatmapPanel[]): string => {
      try {
        draw(panels);
      } catch (error) {
        if (error instanceof UnnoiseError && error.code === "data") return error.message;
      }
      return "";
    };
    expect(refused([])).toMatch(/at least one panel/);
    expect(refused([panel("short", [1, 2])])).toMatch(/got 2 for 3 × 2/);
    expect(refused([panel("broken", [0, 1, NaN, 0, 0, 0])])).toMatch(/finite values, got NaN at index 2/);
    expect(refused([{ ...panel("turned"), x: [1, 1] }])).toMatch(/low < high, got \[1, 1\]/);
  });
});

it("base64 is that of Node", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => base64(bytes) === Buffer.from(bytes).toString("base64")));
});
