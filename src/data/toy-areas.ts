import { at } from "../math/error.ts";
import type { FloatTensor } from "../tensor/tensor.ts";
import { scatter, type Point, type ToyOptions } from "./scatter.ts";

/** Half the length and half the width of a bar of `cross`. */
export const BAR_LENGTH = 1.4;
export const BAR_WIDTH = 0.2;
/** The part of the area in the first bar, which keeps the shared square; the second has only its two arms. */
export const FIRST_BAR: number = BAR_LENGTH / (2 * BAR_LENGTH - BAR_WIDTH);

/** Position along the second bar, outside the square that it shares with the first. */
function alongArms(u: number): number {
  const signed = 2 * u - 1;
  return signed * (BAR_LENGTH - BAR_WIDTH) + Math.sign(signed) * BAR_WIDTH;
}

/**
 * Two bars, 2.8 long and 0.4 wide, that cross at the origin at right angles along the diagonals; the density is the same
 * everywhere on them, also where they cross.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function cross(options: ToyOptions): FloatTensor {
  return scatter(options, 3, ([which = 0, u = 0, v = 0]) => {
    const across = (2 * v - 1) * BAR_WIDTH;
    const [a, b] = which < FIRST_BAR ? [(2 * u - 1) * BAR_LENGTH, across] : [across, alongArms(u)];
    return diagonally(a, b);
  });
}

/** The cross's bars lie along the diagonals: turns (a, b) by 45°. */
export function diagonally(a: number, b: number): Point {
  return [(a - b) * Math.SQRT1_2, (a + b) * Math.SQRT1_2];
}

/** Side of a square of `checkerboard`. */
export const SQUARE = 0.5;

/** Lower left corners of the eight filled squares of `checkerboard`: of 4 × 4, those with an even sum of row and column. */
export const squareCorners: readonly Point[] = Array.from({ length: 8 }, (_, i) => {
  const row = i >> 1;
  return [(2 * (i % 2) + (row % 2) - 2) * SQUARE, (row - 2) * SQUARE];
});

/**
 * Eight of the 4 × 4 squares of side ½ over [−1, 1]², every other one, with the same density everywhere on them: the
 * "checkerboard" of Grathwohl et al. 2019 ("FFJORD", arXiv:1810.01367, code), four times smaller. There it has no noise; here
 * the usual one, 1/25 of a side, rounds its edges.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function checkerboard(options: ToyOptions): FloatTensor {
  return scatter(options, 3, ([which = 0, u = 0, v = 0]) => {
    const [x, y] = at(squareCorners, Math.floor(which * squareCorners.length));
    return [x + SQUARE * u, y + SQUARE * v];
  });
}
