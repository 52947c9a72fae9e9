import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { gridSpacing } from "./arrows.ts";
import { fieldFigure, type FieldPanel } from "./field.ts";

const side = 5;
const places = Array.from({ length: side * side }, (_, index) => [index % side, Math.floor(index / side)]);
const origins = floatTensor(places.flat(), [side * side, 2]);
const field = (vector: (index: number) => readonly [number, number]): FloatTensor =>
  floatTensor(
    places.flatMap((_, index) => [...vector(index)]),
    [side * side, 2],
  );
const panel = (label: string, vectors: FloatTensor, more: Partial<FieldPanel> = {}): FieldPanel => ({
  label,
  origins,
  vectors,
  tone: "data",
  ...more,
});
const draw = (panels: readonly FieldPanel[], more: object = {}): string =>
  fieldFigure({ title: "score", panels, columnNames: ["a (m)", "b (m)"], ...more });
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");

/** Place (px), angle and length (px) of each arrow. */
function arrowsOf(svg: string): { x: number; angle: number; length: number }[] {
  const found = svg.matchAll(
    /<path transform="translate\(([\d.]+),[^)]*\) rotate\(([^)]*)\)[^"]*" d="M0,0L0,(-[\d.]+)/g,
  );
  return [...found].map(([, x, angle, length]) => ({ x: Number(x), angle: Number(angle), length: -Number(length) }));
}

describe("arrow fields", () => {
  it("have an arrow for each vector, points behind, axes and the scale", () => {
    const points = floatTensor([1, 1, 2, 3, 90, 90], [3, 2]);
    const panels = [
      panel(
        "learned",
        field(() => [3, 4]),
        { points, tone: "samples" },
      ),
      panel(
        "exact",
        field(() => [0, 5]),
      ),
    ];
    const svg = draw(panels, { notes: ["hello"] });
    expect(arrowsOf(svg)).toHaveLength(50);
    expect(svg.split("<circle")).toHaveLength(1 + 2 + 1);
    expect(texts(svg)).toEqual(
      expect.arrayContaining([
        "score",
        "learned",
        "exact",
        "a (m)",
        "b (m)",
        "points",
        "hello",
        "Outside the axes: 1 point.",
      ]),
    );
    expect(svg).toContain("the longest arrow is a vector of size 5 or more");
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(draw(panels, { notes: ["hello"] })).toBe(svg);
  });

  it("point where the vectors point", () => {
    const directions = [
      [0, 1],
      [1, 0],
      [0, -1],
      [-1, 0],
      [1, 1],
    ] as const;
    const svg = draw([
      panel(
        "turning",
        field((index) => directions[index % 5] ?? [0, 0]),
      ),
    ]);
    expect(
      arrowsOf(svg)
        .slice(0, 5)
        .map(({ angle }) => angle),
    ).toEqual([0, 90, 180, -90, 45]);
  });

  it("keep the ratios of sizes up to the 95th percentile, where they fill the grid, and no further", () => {
    const svg = draw([
      panel(
        "growing",
        field((index) => [index === 24 ? 1000 : index + 1, 0]),
      ),
    ]);
    const lengths = arrowsOf(svg).map(({ length }) => length);
    const longest = lengths[24] ?? 0;
    expect(lengths[23]).toBeCloseTo(longest, 2);
    expect(lengths[11]).toBeCloseTo(longest / 2, 1);
    expect(svg).toContain("a vector of size 24 or more");
    const [first, second] = arrowsOf(svg).map(({ x }) => x);
    expect(longest / ((second ?? 0) - (first ?? 0))).toBeCloseTo(0.95, 2);
  });

  it("share one scale or have their own", () => {
    const panels = [
      panel(
        "weak",
        field(() => [1, 0]),
      ),
      panel(
        "strong",
        field(() => [8, 0]),
      ),
    ];
    const shared = arrowsOf(draw(panels)).map(({ length }) => length);
    expect((shared[0] ?? 0) / (shared[49] ?? 1)).toBeCloseTo(1 / 8, 2);
    const svg = draw(panels, { shareScale: false });
    expect(new Set(arrowsOf(svg).map(({ length }) => length)).size).toBe(1);
    expect(texts(svg)).toEqual(expect.arrayContaining(["weak (longest 1)", "strong (longest 8)"]));
  });

  it("leave out vectors that are not finite, and draw a field of zeros as nothing", () => {
    const svg = draw([
      panel(
        "gap",
        field((index) => [index === 3 ? NaN : 1, 1]),
      ),
    ]);
    expect(arrowsOf(svg)).toHaveLength(24);
    expect(svg).toContain("Not finite, so not drawn: 1 vector.");
    const still = draw([
      panel(
        "still",
        field(() => [0, 0]),
      ),
    ]);
    expect(arrowsOf(still)).toHaveLength(0);
    expect(still).not.toMatch(/NaN|Infinity/);
  });

  it("refuse what cannot be drawn with one line", () => {
    expect(() => draw([])).toThrow(/at least one panel/);
    expect(() => draw([panel("short", floatTensor([1, 2], [1, 2]))])).toThrow(
      /one shape .* got \[25, 2\] and \[1, 2\]/,
    );
    const many = floatTensor(new Float32Array(5002), [2501, 2]);
    expect(() => draw([panel("many", many, { origins: many })])).toThrow(/at most 2500 vectors, got 2501/);
    const broken = floatTensor([NaN, 2], [1, 2]);
    expect(() => draw([panel("broken", broken, { origins: broken })])).toThrow(/finite origins/);
    expect(() =>
      draw([
        panel(
          "points",
          field(() => [1, 1]),
          { points: floatTensor([1], [1, 1]) },
        ),
      ]),
    ).toThrow(/points \[m, 2\], got \[1, 1\]/);
  });
});

it("the spacing of a grid of squares is found from its box and count", () => {
  const cells = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(cells, cells, fc.double({ min: 0.1, max: 50, noNaN: true }), (columns, rows, spacing) => {
      fc.pre(columns * rows > 1);
      const found = gridSpacing(columns * rows, (columns - 1) * spacing, (rows - 1) * spacing);
      expect(found / spacing).toBeCloseTo(1, 9);
    }),
  );
});
