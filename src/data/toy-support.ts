import { UnnoiseError } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { BAR_LENGTH, BAR_WIDTH, diagonally, halfCircle, spiral, type Point, type ToyName } from "./toy.ts";

/** Where a toy set lies without its noise, cut into cells of equal probability. */
export interface ToySupport {
  /** The middle of each cell, `[n, 2]`. */
  readonly points: FloatTensor;
  /** Variance of each coordinate inside a cell: h²/12 for square cells of side h, 0 for pieces of a curve. */
  readonly cellVariance: number;
}

/** A support of a million cells would take longer than anyone waits. */
const MOST_CELLS = 200_000;

/**
 * The noise-free set behind the draws of a toy set: the curves of swiss roll and moons at evenly spaced quantiles of their
 * parameter (midpoints), the bars of the cross as square cells. Nothing is random.
 * @param spacing upper limit of a cell's length along a curve, or of its side, > 0, in units of the points
 * @throws UnnoiseError `usage` for a spacing that is not positive, or so small that more than 200,000 cells were needed
 */
export function toySupport(name: ToyName, spacing: number): ToySupport {
  if (!(spacing > 0 && spacing < Infinity)) {
    throw new UnnoiseError("usage", `spacing: expected a finite number > 0, got ${spacing}`);
  }
  return supports[name](spacing);
}

const supports: Readonly<Record<ToyName, (spacing: number) => ToySupport>> = {
  "swiss-roll": (spacing) => ofPoints(midpoints((FASTEST * 3 * Math.PI) / spacing).map(spiral), 0),
  moons: (spacing) => {
    const parts = midpoints(Math.PI / spacing, 2);
    return ofPoints([...parts.map((u) => halfCircle(u, true)), ...parts.map((u) => halfCircle(u, false))], 0);
  },
  cross: crossSupport,
};

/** Length of the spiral passed per radian where it is longest, at t = 9π/2: √(1 + t²)/10. */
const FASTEST = Math.hypot(1, 4.5 * Math.PI) / 10;

/** The first bar whole, then both arms of the second: the side divides the width, the length and the arms alike. */
function crossSupport(spacing: number): ToySupport {
  const across = wholeAbove((2 * BAR_WIDTH) / spacing);
  checkCells(CROSS_SQUARES * across ** 2);
  const side = (2 * BAR_WIDTH) / across;
  const along = Math.round((2 * BAR_LENGTH) / side);
  const middle = (i: number, count: number): number => (i - (count - 1) / 2) * side;
  const points: Point[] = [];
  for (let i = 0; i < along; i++) {
    for (let j = 0; j < across; j++) {
      const [a, b] = [middle(i, along), middle(j, across)];
      points.push(diagonally(a, b));
      if (Math.abs(a) > BAR_WIDTH) points.push(diagonally(b, a));
    }
  }
  return ofPoints(points, side ** 2 / 12);
}

/** Squares of the bars' width that the cross is made of: 7 + 6. */
const CROSS_SQUARES = 13;

/** Midpoints of equal parts of (0, 1), at least `least` of them, for each of `curves`. */
function midpoints(least: number, curves = 1): number[] {
  const parts = wholeAbove(least);
  checkCells(curves * parts);
  return Array.from({ length: parts }, (_, i) => (i + 0.5) / parts);
}

/** Rounds up, but not for what rounding has added. */
function wholeAbove(least: number): number {
  return Math.max(1, Math.ceil(least * (1 - 1e-12)));
}

function checkCells(cells: number): void {
  if (cells <= MOST_CELLS) return;
  throw new UnnoiseError("usage", `spacing: expected at most ${MOST_CELLS} cells, got ${cells}; use a wider spacing`);
}

function ofPoints(points: readonly Point[], cellVariance: number): ToySupport {
  return { points: floatTensor(Float32Array.from(points.flat()), [points.length, 2]), cellVariance };
}
