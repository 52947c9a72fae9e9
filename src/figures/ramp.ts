import { hexOf, mixOklab, oklabOf, rgbOf, rgbOfHex, type Oklab, type Rgb } from "./oklab.ts";
import { colours } from "./theme.ts";

/** What a picture of numbers is about: densities of data or samples, or values of both signs. */
export type Tone = "data" | "samples" | "signed";

const white = oklabOf([1, 1, 1]);
const ends = {
  data: oklabOf(rgbOfHex(colours.data)),
  samples: oklabOf(rgbOfHex(colours.samples)),
} as const;

/**
 * The colour of a number on a ramp whose lightness falls evenly: white to data blue or to samples vermilion; signed goes
 * from blue through white to vermilion.
 * @param share place on the ramp; values outside 0…1 are clamped, and 0.5 is white when signed
 */
export function rampColour(tone: Tone, share: number): Rgb {
  const place = Math.min(1, Math.max(0, share));
  if (tone !== "signed") return rgbOf(mixOklab(white, ends[tone], place));
  return rgbOf(mixOklab(white, place < 0.5 ? ends.data : ends.samples, Math.abs(2 * place - 1)));
}

/** Steps of a ramp: about one for each value of a byte, and odd, so that one is the middle. */
export const rampSteps = 257;

/** The colours of a ramp in steps, computed once for a whole picture; white for what is no place on it. */
export function steppedRamp(tone: Tone): (share: number) => Rgb {
  const steps = Array.from({ length: rampSteps }, (_, step) => rampColour(tone, step / (rampSteps - 1)));
  return (share) => steps[Math.round(share * (rampSteps - 1))] ?? [1, 1, 1];
}

/** `rampColour` as `#rrggbb`. */
export function rampHex(tone: Tone, share: number): string {
  return hexOf(rampColour(tone, share));
}

/** Corners of the colours of places: blue to orange along the first axis, dark to light along the second. */
const dark = { left: oklabOf(rgbOfHex("#123c86")), right: oklabOf(rgbOfHex("#8f3d00")) };
const light = { left: oklabOf(rgbOfHex("#62b5f5")), right: oklabOf(rgbOfHex("#ffab2e")) };

/** How far the middle between blue and orange turns to rose, so that it is not grey. */
const ROSE = 0.11;

/**
 * The colour of a place in the unit square: blue to orange along u, through rose, and dark to light along v. Blue against
 * yellow and dark against light are what all common kinds of colour blindness keep.
 * @param u first coordinate; values outside 0…1 are clamped
 * @param v second coordinate; values outside 0…1 are clamped
 */
export function placeColour(u: number, v: number): Rgb {
  const [across, up] = [u, v].map((share) => Math.min(1, Math.max(0, share))) as [number, number];
  const low = mixOklab(dark.left, dark.right, across);
  const [lightness, a, b] = mixOklab(low, mixOklab(light.left, light.right, across), up);
  return insideScreen([lightness, a + ROSE * 4 * across * (1 - across), b]);
}

/** Takes colour away, at the same lightness, until a screen can show the rest. */
function insideScreen([lightness, a, b]: Oklab): Rgb {
  let [low, high] = [0, 1];
  const shown = (share: number): Rgb => rgbOf([lightness, a * share, b * share]);
  const fits = (rgb: Rgb): boolean => rgb.every((channel) => channel >= 0 && channel <= 1);
  if (fits(shown(1))) return shown(1);
  for (let halving = 0; halving < 12; halving++) {
    const middle = (low + high) / 2;
    if (fits(shown(middle))) low = middle;
    else high = middle;
  }
  return shown(low);
}
