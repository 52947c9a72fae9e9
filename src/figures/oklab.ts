/** Red, green and blue of sRGB, each in 0…1. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Lightness in 0…1, green–red and blue–yellow of OKLab, in which equal distances look about equal (Ottosson 2020). */
export type Oklab = readonly [lightness: number, a: number, b: number];

type Row = readonly [number, number, number];
type Matrix = readonly [Row, Row, Row];

const toCones: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const fromRoots: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];
const toRoots: Matrix = [
  [1, 0.3963377774, 0.2158037573],
  [1, -0.1055613458, -0.0638541728],
  [1, -0.0894841775, -1.291485548],
];
const fromCones: Matrix = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.707614701],
];

const dot = (row: Row, [x, y, z]: Row): number => row[0] * x + row[1] * y + row[2] * z;
const product = (matrix: Matrix, vector: Row): Row => [
  dot(matrix[0], vector),
  dot(matrix[1], vector),
  dot(matrix[2], vector),
];
const each = (vector: Row, f: (value: number) => number): Row => [f(vector[0]), f(vector[1]), f(vector[2])];

const toLinear = (channel: number): number =>
  channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
const fromLinear = (light: number): number => (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);

/** A colour of sRGB in OKLab. */
export function oklabOf(rgb: Rgb): Oklab {
  return product(fromRoots, each(product(toCones, each(rgb, toLinear)), Math.cbrt));
}

/** A colour of OKLab in sRGB; channels outside 0…1 are colours that screens lack. */
export function rgbOf(lab: Oklab): Rgb {
  return each(
    product(
      fromCones,
      each(product(toRoots, lab), (root) => root ** 3),
    ),
    fromLinear,
  );
}

/** The colour a part `weight` (0…1) of the way from one to another. */
export function mixOklab(from: Oklab, to: Oklab, weight: number): Oklab {
  const between = (low: number, high: number): number => low + (high - low) * weight;
  return [between(from[0], to[0]), between(from[1], to[1]), between(from[2], to[2])];
}

/** Relative luminance of sRGB in 0…1 (WCAG 2). */
export function luminance(rgb: Rgb): number {
  return dot([0.2126, 0.7152, 0.0722], each(rgb, toLinear));
}

/** A colour written `#rrggbb` as sRGB. */
export function rgbOfHex(hex: string): Rgb {
  const channel = (start: number): number => Number.parseInt(hex.slice(start, start + 2), 16) / 255;
  return [channel(1), channel(3), channel(5)];
}

/** sRGB as `#rrggbb`; channels are clamped. */
export function hexOf(rgb: Rgb): string {
  return `#${rgb.map((channel) => byteOf(channel).toString(16).padStart(2, "0")).join("")}`;
}

/** A channel in 0…1 as a byte, clamped. */
export const byteOf = (channel: number): number => Math.round(255 * Math.min(1, Math.max(0, channel)));
