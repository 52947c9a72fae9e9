import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { samplerNames } from "../diffusion/sampler-table.ts";
import { parameterisations } from "../diffusion/parameterisation.ts";
import { varianceKinds } from "../diffusion/objectives/bound-terms.ts";
import { scheduleNames } from "../diffusion/schedules/schedule-config.ts";
import { colourOf, colouredNames, type ColourKind } from "./colour-of.ts";
import { categories, colours } from "./theme.ts";

const kinds: readonly ColourKind[] = ["sampler", "parameterisation", "variance", "schedule", "data"];

/** Full dichromacy in linear sRGB (Machado, Oliveira & Fernandes 2009, severity 1). */
const visions: Readonly<Record<string, readonly number[]>> = {
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

const linear = (hex: string): number[] =>
  [1, 3, 5].map((start) => {
    const value = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });

const times = (matrix: readonly number[], vector: readonly number[]): number[] =>
  [0, 3, 6].map((row) => vector.reduce((sum, value, column) => sum + at(matrix, row + column) * value, 0));

const toXyz = [0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.072175, 0.0193339, 0.119192, 0.9503041];

/** CIELAB under D65. */
function lab(rgb: readonly number[]): number[] {
  const white = times(toXyz, [1, 1, 1]);
  const [x = 0, y = 0, z = 0] = times(
    toXyz,
    rgb.map((value) => Math.min(1, Math.max(0, value))),
  ).map((value, i) => {
    const share = value / at(white, i);
    return share > 216 / 24389 ? Math.cbrt(share) : ((24389 / 27) * share + 16) / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** The least ΔE (CIE 1976) between two colours over all visions. */
function difference(a: string, b: string): number {
  const apart = Object.values(visions).map((matrix) => {
    const [one = [], two = []] = [a, b].map((hex) => lab(times(matrix, linear(hex))));
    return Math.hypot(...one.map((value, i) => value - at(two, i)));
  });
  return Math.min(...apart);
}

function leastDifference(all: readonly string[]): number {
  return Math.min(...all.flatMap((a, i) => all.slice(0, i).map((b) => difference(a, b))));
}

const contrastToWhite = (hex: string): number => 1.05 / (at(times(toXyz, linear(hex)), 1) + 0.05);

describe("the palette", () => {
  it("keeps any two colours, and the data's blue, ΔE ≥ 16 apart in every vision", () => {
    expect(leastDifference([...categories, colours.data])).toBeGreaterThanOrEqual(16);
    expect(difference(colours.samples, colours.fifth)).toBeLessThan(5);
    expect(lab([1, 1, 1])).toEqual([expect.closeTo(100, 6), expect.closeTo(0, 6), expect.closeTo(0, 6)]);
  });

  it("stands out from white by 3 : 1", () => {
    const used = kinds.flatMap((kind) => colouredNames(kind).map((name) => colourOf(kind, name)));
    const all = [...categories, ...used, colours.data, colourOf("sampler", "ddim, η = 1")];
    expect(Math.min(...all.map(contrastToWhite))).toBeGreaterThanOrEqual(3);
    expect(contrastToWhite(colours.fourth)).toBeLessThan(3);
  });
});

describe("colourOf", () => {
  it.each(kinds)("keeps the colours of each %s ΔE ≥ 10 apart, neighbours ≥ 16", (kind) => {
    const all = colouredNames(kind).map((name) => colourOf(kind, name));
    expect(leastDifference(all)).toBeGreaterThanOrEqual(10);
    all.slice(1).forEach((colour, i) => expect(difference(colour, at(all, i))).toBeGreaterThanOrEqual(16));
  });

  it("knows every name that the library has", () => {
    expect(colouredNames("sampler")).toEqual(expect.arrayContaining([...samplerNames]));
    expect(colouredNames("parameterisation")).toEqual(expect.arrayContaining([...parameterisations]));
    expect(colouredNames("variance")).toEqual(expect.arrayContaining([...varianceKinds]));
    expect(colouredNames("schedule")).toEqual(expect.arrayContaining([...scheduleNames]));
  });

  it("gives DDIM shades by η, each ΔE ≥ 9 from the next and from all other samplers", () => {
    const shades = [0, 0.2, 0.5, 1].map((eta) => colourOf("sampler", `DDIM, 20 steps, η = ${eta}`));
    expect(shades[0]).toBe(colours.third);
    expect(leastDifference(shades)).toBeGreaterThanOrEqual(9);
    const others = colouredNames("sampler").filter((name) => name !== "ddim");
    const apart = shades.flatMap((shade) => others.map((name) => difference(shade, colourOf("sampler", name))));
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(9);
    expect(colourOf("sampler", "ddim-eta-0.5")).toBe(shades[2]);
  });

  it("reads names as labels write them", () => {
    expect(colourOf("sampler", "DDPM, 1000 steps")).toBe(colours.samples);
    expect(colourOf("sampler", "DPM-Solver++ 2M SDE")).toBe(colourOf("sampler", "dpmpp-2m-sde"));
    expect(colourOf("sampler", "predictor–corrector")).toBe(colourOf("sampler", "predictor-corrector"));
    expect(colourOf("sampler", "σ̂")).toBe(colourOf("sampler", "ddim, σ̂"));
    expect(colourOf("parameterisation", "ε")).toBe(colourOf("parameterisation", "eps"));
  });

  it("gives unknown names a colour of the palette that depends on the name alone", () => {
    const names = Array.from({ length: 40 }, (_, i) => `own-${i}`);
    const given = names.map((name) => colourOf("data", name));
    expect(names.toReversed().map((name) => colourOf("data", name))).toEqual(given.toReversed());
    expect(given.every((colour) => categories.includes(colour))).toBe(true);
    expect(new Set(given).size).toBeGreaterThan(5);
    expect(categories).toContain(colourOf("data", "constructor"));
  });
});
