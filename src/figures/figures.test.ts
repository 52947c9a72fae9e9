import fc from "fast-check";
import { Window } from "happy-dom";
import { dot, lineY, plot } from "@observablehq/plot";
import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { animateStrip } from "./animate.ts";
import { axisMarks, formatPower } from "./axes.ts";
import { equalAspect, planePoints, rangeOf, readCloud } from "./cloud.ts";
import { histogram } from "./density.ts";
import { lossFigure, smoothLosses } from "./loss.ts";
import { metricFigure } from "./metric.ts";
import { svgToImage } from "./render.node.ts";
import { scatterFigure } from "./scatter.ts";
import { scheduleFigure } from "./schedule.ts";
import { stripFigure } from "./strip.ts";
import { SvgDocument, escapeXml, serialize, type SvgElement } from "./svg-document.ts";
import { textWidth, wrapText } from "./text-layout.ts";
import { colours, mixColours } from "./theme.ts";
import { trajectoriesFigure } from "./trajectories.ts";

function moons(count: number, seed: number): FloatTensor {
  const random = new Random(seed, "figure");
  const uniform = new Float64Array(count * 2);
  const points = new Float32Array(count * 2);
  random.uniforms(uniform, 2);
  random.normals(points, 2, 0, 1);
  for (let row = 0; row < count; row++) {
    const angle = Math.PI * (uniform[2 * row] ?? 0);
    const upper = (uniform[2 * row + 1] ?? 0) < 0.5;
    points[2 * row] = 0.1 * (points[2 * row] ?? 0) + (upper ? Math.cos(angle) : 1 - Math.cos(angle));
    points[2 * row + 1] = 0.1 * (points[2 * row + 1] ?? 0) + (upper ? Math.sin(angle) : 0.5 - Math.sin(angle));
  }
  return floatTensor(points, [count, 2]);
}

function normals(count: number, width: number, seed = 1): FloatTensor {
  const data = new Float32Array(count * width);
  new Random(seed, "figure").normals(data, width);
  return floatTensor(data, [count, width]);
}

const occurrences = (svg: string, part: string): number => svg.split(part).length - 1;
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "");

const steps = 20;
const betas = Array.from({ length: steps }, (_, index) => 1e-3 + index * 1e-3);
const alphasCumprod = betas.map((_, index) =>
  betas.slice(0, index + 1).reduce((product, beta) => product * (1 - beta), 1),
);
const losses = Array.from({ length: 500 }, (_, index) => 0.4 + Math.exp(-index / 40));
const iterations = losses.map((_, index) => index + 1);

const figures: Record<string, { draw: () => string; says: readonly string[] }> = {
  "scatter, 2 columns": {
    draw: () => scatterFigure({ points: moons(300, 1), reference: moons(300, 2), title: "moons" }),
    says: ["moons", "x", "y", "data (300)", "samples (300)"],
  },
  "scatter, 1 column": {
    draw: () => scatterFigure({ points: normals(300, 1), columns: ["mass (kg)"], title: "mass", kind: "data" }),
    says: ["mass", "mass (kg)", "density", "data (300)"],
  },
  "scatter, 6 columns": {
    draw: () => scatterFigure({ points: normals(50, 6), title: "six" }),
    says: [
      "six",
      "x1",
      "x5",
      "On the diagonal: density of each column. Shown: the first 5 of 6 columns (x1, x2, x3, x4, x5).",
    ],
  },
  "strip, forward": {
    draw: () =>
      stripFigure({
        title: "forward",
        direction: "forward",
        panels: [0, 10, 20].map((t) => ({ label: `t = ${t}`, points: moons(100, t), alphaCumprod: 1 - t / 21 })),
      }),
    says: ["forward", "t = 0, ᾱ = 1", "t = 10, ᾱ = 0.524", "data", "noise", "x", "y"],
  },
  "strip, reverse, 3 columns": {
    draw: () =>
      stripFigure({
        title: "reverse",
        direction: "reverse",
        columns: ["a", "b", "c"],
        panels: [20, 0].map((t) => ({ label: `t = ${t}`, points: normals(50, 3, t) })),
      }),
    says: ["reverse", "t = 20", "samples", "a", "b", "Shown: the first 2 of 3 columns (a, b)."],
  },
  trajectories: {
    draw: () =>
      trajectoriesFigure({
        title: "paths",
        paths: floatTensor(normals(5 * 9, 2).data, [5, 9, 2]),
        timesteps: [8, 7, 6, 5, 4, 3, 2, 1, 0],
        reference: moons(40, 1),
      }),
    says: ["paths", "data", "start (noise)", "end (sample)", "x", "y"],
  },
  "trajectories, 1 column": {
    draw: () =>
      trajectoriesFigure({ title: "paths", paths: floatTensor(normals(12, 1).data, [4, 3, 1]), timesteps: [9, 4, 0] }),
    says: ["paths", "timestep t", "x"],
  },
  schedule: {
    draw: () => scheduleFigure({ title: "linear", schedule: { betas, alphasCumprod }, posteriorVariances: betas }),
    says: ["linear", "β (forward)", "β̃ (posterior)", "√ᾱ (signal)", "timestep t", "log SNR (nats)"],
  },
  "schedule, zero terminal SNR": {
    draw: () =>
      scheduleFigure({
        title: "jsd",
        schedule: { betas: [0.25, 1 / 3, 0.5, 1], alphasCumprod: [0.75, 0.5, 0.25, 0] },
        posteriorVariances: [0, 1 / 6, 1 / 3, 0.75],
        notes: ["L_T = 0"],
      }),
    says: ["jsd", "L_T = 0", "ᾱ = 0 at t = 4: log SNR is −∞ there and not drawn."],
  },
  loss: {
    draw: () => lossFigure({ title: "loss", iterations, losses, learningRates: losses.map(() => 2e-3) }),
    says: ["loss", "iteration", "smoothed", "learning rate (10⁻³)"],
  },
  "loss with bounds": {
    draw: () => {
      const bounds = [100, 200].map((iteration) => ({
        ...{ iteration, bitsPerDimension: 4 - iteration / 100, bitsStandardError: 0.1, images: 64 },
      }));
      return lossFigure({ title: "measured", iterations, losses, bounds });
    },
    says: ["measured", "bound (bits/dim)", "Bound: 64 held-out images, the same each time; bars: ± 1 standard error."],
  },
  metric: {
    draw: () => metricFigure({ title: "ratios", ratios: [{ sampler: "DDPM", metric: "W2", ratio: 1.21 }] }),
    says: ["ratios", "DDPM", "W2", "1.21", "ratio to floor", "floor (fresh data)"],
  },
  animation: {
    draw: () => animateStrip({ title: "film", frames: [{ label: "t = 3", points: moons(60, 1) }] })[0] ?? "",
    says: ["film", "t = 3", "samples from noise", "x", "y"],
  },
};

describe.each(Object.entries(figures))("%s", (_name, { draw, says }) => {
  const svg = draw();

  it("says what it shows, in text of at least 11 px", () => {
    expect(texts(svg)).toEqual(expect.arrayContaining([...says]));
    const sizes = [...svg.matchAll(/font-size="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(11);
  });

  it("is well-formed XML that a strict parser draws, with text on an opaque light sheet", async () => {
    const image = await svgToImage(svg, { width: 400 });
    expect([...image.data.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
    const silent = await svgToImage(svg.replaceAll(/<text.*?<\/text>/gs, ""), { width: 400 });
    expect(image.data.some((value, index) => value !== silent.data[index])).toBe(true);
  });

  it("gives the same bytes again, no style sheet, no NaN, no -0", () => {
    expect(draw()).toBe(svg);
    expect(svg).not.toMatch(/NaN|undefined|<style|Infinity|"-0[",]|[^\d]−0(\.0+)?</);
  });
});

it("draws one dot for each point and rounds coordinates to two decimals", () => {
  const svg = scatterFigure({ points: moons(300, 1), reference: moons(200, 2), title: "moons" });
  const legendKeys = 2;
  expect(occurrences(svg, "<circle")).toBe(500 + legendKeys);
  expect(svg).not.toMatch(/c[xy]="-?\d*\.\d{3,}"/);
});

it("stays below 1.5 MB for 2,000 points in 6 panels, and for a matrix of five columns with reference", () => {
  const panels = [0, 1, 2, 3, 4, 5].map((t) => ({ label: `t = ${t}`, points: moons(2000, t) }));
  const strip = stripFigure({ title: "strip", direction: "forward", panels });
  expect(occurrences(strip, "<circle")).toBe(12_002);
  expect(strip.length).toBeLessThan(1_500_000);
  const pairs = scatterFigure({ points: normals(3000, 5), reference: normals(3000, 5, 2), title: "pairs" });
  expect(pairs.length).toBeLessThan(1_500_000);
  expect(pairs).toContain("Drawn: the first 2,400 of 6,000 points.");
});

it("keeps axes fixed through an animation and its frames of one size", () => {
  const frames = [5, 4, 3].map((t) => ({ label: `t = ${t}`, points: normals(80, 2, t) }));
  const svgs = animateStrip({ title: "film", frames, reference: moons(50, 1) });
  const axes = svgs.map((svg) => [...svg.matchAll(/<g aria-label="[xy]-axis tick label".*?<\/g>/gs)].join());
  expect(svgs).toHaveLength(3);
  expect(axes[0]).toMatch(/>0</);
  expect(new Set(axes).size).toBe(1);
  expect(new Set(svgs.map((svg) => /viewBox="[^"]*"/.exec(svg)?.[0])).size).toBe(1);
  expect(new Set(svgs).size).toBe(3);
});

it("draws each class in a colour of its own, with a name in the legend", () => {
  const points = floatTensor([0, 0, 1, 1, 2, 0, 3, 1], [4, 2]);
  const labels = Int32Array.of(1, 0, 1, 1);
  const svg = scatterFigure({ points, labels, classes: ["few", "many", "none"], title: "classes", kind: "data" });
  for (const [name, colour, count] of [
    ["few", colours.data, 1],
    ["many", colours.third, 3],
  ] as const) {
    expect(svg).toContain(`${name} (${count})`);
    const drawn = [...svg.matchAll(/<g[^>]* fill="(#\w+)"[^>]*>(<circle[^>]*>(<\/circle>)?)+/g)];
    const dots = drawn.filter(([, fill]) => fill === colour).map(([group]) => occurrences(group, "<circle"));
    expect(dots.reduce((sum, each) => sum + each, 0)).toBe(count);
  }
  expect(svg).not.toContain("none (");
  expect(scatterFigure({ points, labels, title: "numbered" })).toContain("class 1 (3)");
  const refused =
    (wrong: object): (() => string) =>
    () =>
      scatterFigure({ points, labels, title: "", ...wrong });
  expect(refused({ labels: Int32Array.of(1) })).toThrow("expected one label a point, 4, got 1");
  expect(refused({ classes: ["one"] })).toThrow("expected labels in 0…0, got 1");
  expect(refused({ labels: Int32Array.of(0, 0, -1, 0) })).toThrow("expected labels in 0…0, got -1");
  expect(refused({ labels: Int32Array.of(0, 0, 99, 0) })).toThrow("classes, which have a colour each, got 100");
});

it("leaves out points that are not finite, and says so", () => {
  const points = floatTensor([0, 0, 1, 1, Number.NaN, 2, 3, Infinity], [4, 2]);
  const svg = scatterFigure({ points, title: "broken" });
  expect(occurrences(svg, "<circle")).toBe(3);
  expect(svg).toContain("Not finite, so not drawn: 2 points.");
  expect(() => scatterFigure({ points: floatTensor([Number.NaN, 1], [1, 2]), title: "none" })).not.toThrow();
});

it("refuses what it cannot draw with one line", () => {
  expect(() => scatterFigure({ points: floatTensor([], [0, 2]), title: "" })).toThrow(/nothing to draw/);
  expect(() => scatterFigure({ points: normals(3, 2), reference: normals(3, 3), title: "" })).toThrow(
    /expected 3, got 2/,
  );
  expect(() => stripFigure({ panels: [], direction: "forward", title: "" })).toThrow(/at least one panel/);
  expect(() => trajectoriesFigure({ paths: normals(3, 2), timesteps: [1], title: "" })).toThrow(/\[paths, times, D\]/);
  expect(() => scheduleFigure({ schedule: { betas, alphasCumprod: [] }, posteriorVariances: [], title: "" })).toThrow(
    /one length/,
  );
  expect(() => lossFigure({ iterations, losses: [], title: "" })).toThrow(/one length/);
  expect(() => metricFigure({ ratios: [{ sampler: "a", metric: "b", ratio: 0 }], title: "" })).toThrow(/got 0/);
});

describe("the document given to Plot", () => {
  const build = (document: unknown): unknown =>
    plot({
      document: document as Document,
      marks: [
        ...axisMarks({ domain: [0, 3], label: "x" }, { domain: [0, 1], label: "<y>" }),
        dot([1, 2, 3], { x: (value: number) => value, y: (value: number) => 1 / value, r: 2 }),
        lineY([1, 0.5, 0.25], { stroke: "red" }),
      ],
    });

  it("builds the same markup as a whole DOM", () => {
    const window = new Window();
    const container = window.document.createElement("div");
    const drawn = build(window.document) as never;
    container.appendChild(drawn);
    const own = serialize(build(new SvgDocument()) as SvgElement);
    const shape = (markup: string): string =>
      markup
        .replace(/ xmlns(:\w+)?="[^"]*"/g, "")
        .replace(/<(\w+)([^>]*?)\/>/g, "<$1$2></$1>")
        .replace(/<style>.*?<\/style>/s, "")
        .replace(/-?\d*\.\d+/g, (number) => String(Math.round(Number(number) * 100) / 100 || 0));
    expect(shape(own)).toBe(shape(container.innerHTML));
    expect(own).toContain("&lt;y&gt;");
  });

  it("escapes any text into XML that parses", async () => {
    const hostile = "</text><script>\"&amp;' \u0000\u001b\ud800 é 🎉";
    const svg = scatterFigure({ points: normals(5, 2), columns: [hostile, "y"], title: hostile });
    expect(svg).not.toContain("<script");
    await expect(svgToImage(svg, { width: 100 })).resolves.toMatchObject({ width: 100 });
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !/[<>"\u0000]/.test(escapeXml(text))));
  });
});

describe("axes", () => {
  it("span all finite values, and only the bulk where outliers would squash it", () => {
    const numbers = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, (values) => {
        const [low, high] = rangeOf([values]);
        return low < high && high - low <= 1.09 * (Math.max(...values) - Math.min(...values)) + 1e6;
      }),
    );
    const bulk = normals(1000, 1).data;
    const [low, high] = rangeOf([bulk]);
    expect(low).toBeLessThan(Math.min(...bulk));
    expect(high).toBeGreaterThan(Math.max(...bulk));
    const [, clipped] = rangeOf([bulk, [1e6]]);
    expect(clipped).toBeLessThan(10);
    const cloud = readCloud(
      floatTensor(
        [...bulk, 1e6].flatMap((value) => [value, 0]),
        [1001, 2],
      ),
      "points",
    );
    expect(planePoints(cloud, [0, 1], [low, high], [-1, 1], 5000).tally).toMatchObject({ total: 1001, outside: 1 });
  });

  it("give x and y the same length per unit, unless ranges differ too much", () => {
    const { x, y, height } = equalAspect([0, 2], [0, 1], 500, [240, 500]);
    expect((x[1] - x[0]) / 500).toBeCloseTo((y[1] - y[0]) / height, 12);
    expect(equalAspect([0, 5000], [0, 1], 500, [240, 500])).toEqual({ x: [0, 5000], y: [0, 1], height: 500 });
  });

  it("write powers of ten", () => {
    expect([2e-4, 1e6, -2.5e-5, 0].map(formatPower)).toEqual(["2×10⁻⁴", "10⁶", "−2.5×10⁻⁵", "0"]);
  });
});

it("histograms are densities: bars add up to the share of values inside", () => {
  const { densities } = histogram([0, 0.1, 0.5, 1, 7], [0, 1], 4);
  expect(densities.reduce((sum, density) => sum + density / 4, 0)).toBeCloseTo(4 / 5, 12);
});

it("smoothing keeps a constant, follows a step, and passes over gaps", () => {
  expect([...smoothLosses([2, 2, Number.NaN, 2])]).toEqual([2, 2, 2, 2]);
  const halfLife = 3;
  const smooth = smoothLosses(Array.from({ length: 100 * halfLife }, (_, index) => (index < 200 ? 0 : 1)));
  expect(smooth[200 + halfLife - 1]).toBeCloseTo(0.5, 2);
});

it("log axes appear only for wide losses", () => {
  const draw = (values: number[]): string =>
    lossFigure({ iterations: values.map((_, i) => i), losses: values, title: "" });
  expect(draw([8, 1, 0.5, 0.01])).toContain("loss (log scale)");
  expect(draw([1, 0.9, 0.8])).not.toContain("log scale");
  expect(draw([5, -1, 0.001])).not.toContain("log scale");
});

it("text breaks into lines that fit and keeps every character", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,30}$/)), (words) => {
      const lines = wrapText(words.join(" "), 100, 12);
      return lines.every((line) => textWidth(line, 12) <= 100) && lines.join("").replaceAll(" ", "") === words.join("");
    }),
  );
});

it("colours mix between their ends", () => {
  expect([-1, 0, 0.5, 1].map((weight) => mixColours("#000000", "#ff8000", weight))).toEqual([
    "#000000",
    "#000000",
    "#804000",
    "#ff8000",
  ]);
});
