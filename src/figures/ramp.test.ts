import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { luminance, oklabOf, rgbOf, rgbOfHex, hexOf, type Rgb } from "./oklab.ts";
import { placeColour, rampColour, rampHex } from "./ramp.ts";
import { colours } from "./theme.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const channels = fc.tuple(share, share, share);
const distance = (a: Rgb, b: Rgb): number => Math.max(...a.map((value, axis) => Math.abs(value - (b[axis] ?? 0))));

describe("oklab", () => {
  it("gives back every colour", () => {
    fc.assert(fc.property(channels, (rgb) => distance(rgbOf(oklabOf(rgb)), rgb) < 1e-5));
  });

  it("has white at lightness 1 and the published place of pure red", () => {
    expect(distance(oklabOf([1, 1, 1]), [1, 0, 0])).toBeLessThan(1e-6);
    expect(distance(oklabOf([1, 0, 0]), [0.627955, 0.224863, 0.125846])).toBeLessThan(1e-5);
  });

  it("reads and writes hexadecimal", () => {
    fc.assert(fc.property(fc.stringMatching(/^#[0-9a-f]{6}$/), (hex) => hexOf(rgbOfHex(hex)) === hex));
    expect([luminance([0, 0, 0]), luminance([1, 1, 1])]).toEqual([0, 1]);
  });
});

describe("ramps", () => {
  it("go from white to the colour of data and of samples", () => {
    expect([rampHex("data", 0), rampHex("data", 1)]).toEqual(["#ffffff", colours.data]);
    expect([rampHex("samples", 0), rampHex("samples", 1)]).toEqual(["#ffffff", colours.samples]);
    expect([0, 0.5, 1].map((place) => rampHex("signed", place))).toEqual([colours.data, "#ffffff", colours.samples]);
    expect(rampHex("data", 7)).toBe(colours.data);
  });

  it("lose luminance all the way, in even steps of lightness", () => {
    const tones = fc.constantFrom("data" as const, "samples" as const);
    fc.assert(
      fc.property(tones, share, share, (tone, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(high - low > 1e-6);
        expect(luminance(rampColour(tone, high))).toBeLessThan(luminance(rampColour(tone, low)));
      }),
    );
    const lightness = [0, 0.25, 0.5, 0.75, 1].map((place) => oklabOf(rampColour("data", place))[0]);
    const drops = lightness.slice(1).map((value, index) => (lightness[index] ?? 0) - value);
    for (const drop of drops) expect(drop).toBeCloseTo(drops[0] ?? 0, 5);
  });

  it("are as light for one sign as their own ramp is", () => {
    fc.assert(
      fc.property(share, (size) => {
        expect(distance(rampColour("signed", 0.5 + size / 2), rampColour("samples", size))).toBeLessThan(1e-9);
        expect(distance(rampColour("signed", 0.5 - size / 2), rampColour("data", size))).toBeLessThan(1e-9);
      }),
    );
  });
});

describe("colours of places", () => {
  it("get lighter upwards and yellower to the right, as all eyes see them", () => {
    fc.assert(
      fc.property(share, share, share, (a, b, other) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(high - low > 0.02);
        const lab = (u: number, v: number) => oklabOf(placeColour(u, v));
        expect(lab(other, high)[0]).toBeGreaterThan(lab(other, low)[0]);
        expect(lab(high, other)[2]).toBeGreaterThan(lab(low, other)[2]);
      }),
    );
  });

  it("are colours that a screen has, stand out from white, and are nowhere grey", () => {
    fc.assert(
      fc.property(share, share, (u, v) => {
        const rgb = placeColour(u, v);
        const [lightness, a, b] = oklabOf(rgb);
        expect(rgb.every((channel) => channel >= 0 && channel <= 1)).toBe(true);
        expect(lightness).toBeLessThan(0.85);
        expect(Math.hypot(a, b)).toBeGreaterThan(0.06);
      }),
    );
    expect(placeColour(-3, 9)).toEqual(placeColour(0, 1));
  });
});
