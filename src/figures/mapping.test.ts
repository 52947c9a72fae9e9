import { describe, expect, it } from "vitest";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { mappingFigure, type MappingPanel } from "./mapping.ts";
import { oklabOf, rgbOfHex } from "./oklab.ts";

/** A square of 6 × 6 places. */
const side = 6;
const places = Array.from({ length: side * side }, (_, index) => [index % side, Math.floor(index / side)] as const);
const keys = floatTensor(places.flat(), [side * side, 2]);
const moved = (move: (x: number, y: number) => readonly [number, number]): FloatTensor =>
  floatTensor(
    places.flatMap(([x, y]) => [...move(x, y)]),
    [side * side, 2],
  );
const panels: readonly MappingPanel[] = [
  { label: "start", points: keys },
  { label: "end", points: moved((x, y) => [50 - 10 * x, 10 * y]) },
];
const draw = (more: object = {}): string =>
  mappingFigure({ title: "mapping", panels, keys, columnNames: ["a (m)", "b (m)"], ...more });
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");
const dots = (svg: string): { x: number; y: number; fill: string }[] =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"[^>]*? fill="(#\w+)"/g)].map(([, x, y, fill = ""]) => ({
    x: Number(x),
    y: Number(y),
    fill,
  }));

describe("mapping figure", () => {
  it("draws every point in each panel in the colour of its key, beside the colours of places", () => {
    const svg = draw({ notes: ["more"] });
    const drawn = dots(svg);
    expect(drawn).toHaveLength(72);
    expect(drawn.slice(36).map(({ fill }) => fill)).toEqual(drawn.slice(0, 36).map(({ fill }) => fill));
    expect(svg.split("<image")).toHaveLength(2);
    expect(texts(svg)).toEqual(
      expect.arrayContaining(["mapping", "colour of each start", "start", "end", "a (m)", "b (m)", "more"]),
    );
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(draw({ notes: ["more"] })).toBe(svg);
  });

  it("gives each place a colour of its own, yellower to the right and lighter upwards", () => {
    const colours = dots(draw())
      .slice(0, 36)
      .map(({ fill }) => fill);
    expect(new Set(colours).size).toBe(36);
    const lab = colours.map((fill) => oklabOf(rgbOfHex(fill)));
    places.forEach(([x, y], index) => {
      if (x + 1 < side) expect(lab[index + 1]?.[2]).toBeGreaterThan(lab[index]?.[2] ?? 0);
      if (y + 1 < side) expect(lab[index + side]?.[0]).toBeGreaterThan(lab[index]?.[0] ?? 0);
    });
  });

  it("colours by rank, so that stretching the keys changes nothing", () => {
    const fills = (svg: string): string[] => dots(svg).map(({ fill }) => fill);
    const stretched = moved((x, y) => [Math.exp(3 * x), y ** 3]);
    expect(fills(draw({ keys: stretched }))).toEqual(fills(draw()).slice(0, 72));
    const turned = moved((x, y) => [y, x]);
    expect(fills(draw({ keys: turned }))).not.toEqual(fills(draw()));
  });

  it("shares axes, or gives each panel its own", () => {
    const spread = (svg: string): number => {
      const xs = dots(svg)
        .slice(0, 36)
        .map(({ x }) => x);
      return Math.max(...xs) - Math.min(...xs);
    };
    expect(spread(draw({ ownAxes: true }))).toBeGreaterThan(5 * spread(draw()));
    const ticks = (svg: string): number => svg.split('aria-label="y-axis tick label"').length - 1;
    expect([ticks(draw()), ticks(draw({ ownAxes: true }))]).toEqual([1, 3]);
  });

  it("leaves out points that are not finite or beyond the limit, and says so", () => {
    const gap = moved((x, y) => [x === 2 && y === 2 ? NaN : x, y]);
    const svg = draw({ panels: [{ label: "gap", points: gap }] });
    expect(dots(svg)).toHaveLength(35);
    expect(svg).toContain("Not finite, so not drawn: 1 point.");
    const many = floatTensor(
      Float32Array.from({ length: 40_000 }, (_, index) => Math.sin(index)),
      [20_000, 2],
    );
    const cut = draw({ panels: [{ label: "many", points: many }], keys: many });
    expect(dots(cut)).toHaveLength(16_000);
    expect(cut).toContain("Drawn: the first 16,000 of 20,000 points.");
    expect(cut.length).toBeLessThan(1_500_000);
  });

  it("refuses what cannot be drawn with one line", () => {
    expect(() => draw({ panels: [] })).toThrow(/at least one panel/);
    expect(() => draw({ keys: floatTensor([1], [1, 1]) })).toThrow(/expected keys \[n ≥ 1, D ≥ 2\], got \[1, 1\]/);
    const short = { label: "short", points: floatTensor([1, 2], [1, 2]) };
    expect(() => draw({ panels: [short] })).toThrow(/panel "short": expected points \[36, D ≥ 2\] .* got \[1, 2\]/);
  });
});
