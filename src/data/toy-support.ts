import { UnnoiseError } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import type { Point } from "./scatter.ts";
import { BAR_LENGTH, BAR_WIDTH, SQUARE, diagonally, squareCorners } from "./toy-areas.ts";
import {
  ARM_PITCH,
  ARM_TURN,
  BLADES,
  BLADE_DEVIATION,
  BLADE_RATE,
  INNER_RADIUS,
  OUTER_RADIUS,
  blade,
  circle,
  halfCircle,
  letterS,
  spiral,
  spiralArm,
} from "./toy-curves.ts";
import { grid, ring } from "./toy-gaussians.ts";
import type { ToyName } from "./toy.ts";

/** Where a toy set lies without its noise, cut into cells. */
export interface ToySupport {
  /** The middle of each cell, `[n, 2]`. */
  readonly points: FloatTensor;
  /** Probability of each cell, `[n]`, of sum 1; the same for all if absent. */
  readonly weights?: Float64Array;
  /** Variance of each coordinate inside a cell: h²/12 for square cells of side h, 0 for pieces of a curve and for points. */
  readonly cellVariance: number;
}

/** A support of a million cells would take longer than anyone waits. */
const MOST_CELLS = 200_000;

/**
 * The noise-free set behind the draws of a toy set: curves at the midpoints of even steps of their parameter (quantiles, where
 * cells have no weights), bars and squares as square cells, the means of Gaussians as they are. The pinwheel's blades end 4½
 * deviations from their middle, where 7·10⁻⁶ of the probability is left. Nothing is random.
 * @param spacing upper limit of a cell's length along a curve, or of its side, > 0, in units of the points
 * @throws UnnoiseError `usage` for a spacing that is not positive, or so small that more than 200,000 cells were needed
 */
export function toySupport(name: ToyName, spacing: number): ToySupport {
  if (!(spacing > 0 && spacing < Infinity)) {
    throw new UnnoiseError("usage", `spacing: expected a finite number > 0, got ${spacing}`);
  }
  return supports[name](spacing);
}

/** A curve over (0, 1). */
type Curve = (u: number) => Point;

/** Length of the swiss roll for each unit of its quantile where it is longest, at t = 9π/2. */
const SPIRAL_SPEED = 0.3 * Math.PI * Math.hypot(1, 4.5 * Math.PI);
/** The same of an arm of the spirals, for each unit of s, at its outer end. */
const ARM_SPEED = ARM_PITCH * ARM_TURN * Math.hypot(1, ARM_TURN);
/** Deviations at which the support of a blade ends. */
const BLADE_END = 4.5;
const BLADE_LIMIT = 1 + BLADE_DEVIATION * BLADE_END;
/** The same of a blade from end to end, where it is farthest out. */
const BLADE_SPEED = 2 * BLADE_END * BLADE_DEVIATION * Math.hypot(1, BLADE_LIMIT * BLADE_RATE * Math.exp(BLADE_LIMIT));

const bladeZ = (u: number): number => (2 * u - 1) * BLADE_END;
const bladeCurves = Array.from(
  { length: BLADES },
  (_, index): Curve =>
    (u) =>
      blade(bladeZ(u), index),
);

const supports: Readonly<Record<ToyName, (spacing: number) => ToySupport>> = {
  "swiss-roll": onCurves([spiral], SPIRAL_SPEED),
  moons: onCurves([(u) => halfCircle(u, true), (u) => halfCircle(u, false)], Math.PI),
  cross: crossSupport,
  circles: onCurves([(u) => circle(u, OUTER_RADIUS), (u) => circle(u, INNER_RADIUS)], 2 * Math.PI * OUTER_RADIUS),
  spirals: onCurves([(s) => spiralArm(s, true), (s) => spiralArm(s, false)], ARM_SPEED, (s) => s),
  "s-curve": onCurves([letterS], 3 * Math.PI),
  pinwheel: onCurves(bladeCurves, BLADE_SPEED, (u) => Math.exp(-(bladeZ(u) ** 2) / 2)),
  checkerboard: checkerboardSupport,
  "8-gaussians": () => ofPoints(ring, 0),
  "25-gaussians": () => ofPoints(grid, 0),
};

/** Equally likely curves, each with the same density over its parameter u, relative to others: 1 if absent. */
function onCurves(
  curves: readonly Curve[],
  speed: number,
  density?: (u: number) => number,
): (spacing: number) => ToySupport {
  return (spacing) => {
    const parts = midpoints(speed / spacing, curves.length);
    const support = ofPoints(
      curves.flatMap((curve) => parts.map(curve)),
      0,
    );
    if (density === undefined) return support;
    const relative = curves.flatMap(() => parts.map(density));
    const total = relative.reduce((sum, weight) => sum + weight, 0);
    return { ...support, weights: Float64Array.from(relative, (weight) => weight / total) };
  };
}

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

function checkerboardSupport(spacing: number): ToySupport {
  const across = wholeAbove(SQUARE / spacing);
  checkCells(squareCorners.length * across ** 2);
  const side = SQUARE / across;
  const middles = Array.from({ length: across }, (_, i) => (i + 0.5) * side);
  const points = squareCorners.flatMap(([x, y]) => middles.flatMap((a) => middles.map((b): Point => [x + a, y + b])));
  return ofPoints(points, side ** 2 / 12);
}

/** Midpoints of equal parts of (0, 1), at least `least` of them, for each of `curves`. */
function midpoints(least: number, curves: number): number[] {
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
