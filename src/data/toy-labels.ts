import { labelEach, type DrawOptions } from "./scatter.ts";
import { FIRST_BAR } from "./toy-areas.ts";
import type { ToyName } from "./toy.ts";

/** The two classes of a toy set. */
export interface ToyClasses {
  readonly classes: readonly [string, string];
  /**
   * Class, 0 or 1, of each point that the set draws by the same options; the noise does not matter.
   * @throws UnnoiseError `usage` for an option out of range
   */
  readonly label: (options: DrawOptions) => Int32Array;
}

/**
 * Splits a set by the uniform draws that place its points.
 * @param width how many draws place a point
 */
function split(first: string, second: string, width: number, isFirst: (draws: Float64Array) => boolean): ToyClasses {
  return {
    classes: [first, second],
    label: (options) => labelEach(options, width, (draws) => (isFirst(draws) ? 0 : 1)),
  };
}

const isEven = (value: number): boolean => Math.floor(value) % 2 === 0;

/**
 * The classes of each toy set: its two curves or bars where it has two, else the halves of its curve, else every other square or
 * Gaussian (the checkerboard's in even or odd columns, counted from the left).
 */
export const toyClasses: Readonly<Record<ToyName, ToyClasses>> = {
  "swiss-roll": split("inner half", "outer half", 1, ([u = 0]) => u < 0.5),
  moons: split("upper moon", "lower moon", 2, ([, which = 0]) => which < 0.5),
  cross: split("rising bar", "falling bar", 3, ([which = 0]) => which < FIRST_BAR),
  circles: split("outer circle", "inner circle", 2, ([, which = 0]) => which < 0.5),
  spirals: split("first arm", "second arm", 2, ([, which = 0]) => which < 0.5),
  "s-curve": split("upper half", "lower half", 1, ([u = 0]) => u < 0.5),
  pinwheel: split("inner half", "outer half", 3, ([, , v = 0]) => Math.cos(2 * Math.PI * v) < 0),
  checkerboard: split("even columns", "odd columns", 3, ([which = 0]) => isEven(Math.floor(which * 8) >> 1)),
  "8-gaussians": split("even modes", "odd modes", 1, ([which = 0]) => isEven(which * 8)),
  "25-gaussians": split("even modes", "odd modes", 1, ([which = 0]) => isEven(which * 25)),
};
