import type { FloatTensor } from "../tensor/tensor.ts";
import { scatter, type Point, type ToyOptions } from "./scatter.ts";

/**
 * A spiral of 1½ turns: (t cos t, t sin t)/10 with t = 3π/2·(1 + 2u), u uniform in (0, 1): scikit-learn's make_swiss_roll
 * (Marsland 2009) seen along its axis and made ten times smaller, so radius 0.47…1.41.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function swissRoll(options: ToyOptions): FloatTensor {
  return scatter(options, 1, ([u = 0]) => spiral(u));
}

/** Point of the swiss roll's spiral at quantile u in (0, 1). */
export function spiral(u: number): Point {
  const t = 1.5 * Math.PI * (1 + 2 * u);
  return [(t * Math.cos(t)) / 10, (t * Math.sin(t)) / 10];
}

/**
 * Two interleaved half circles of radius 1, each with half of the points on average: (cos a, sin a) and
 * (1 − cos a, ½ − sin a), a uniform in (0, π), as scikit-learn's make_moons, which spaces the angles evenly.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function moons(options: ToyOptions): FloatTensor {
  return scatter(options, 2, ([u = 0, which = 0]) => halfCircle(u, which < 0.5));
}

/** Point of the first or second moon at quantile u in (0, 1). */
export function halfCircle(u: number, first: boolean): Point {
  const x = Math.cos(Math.PI * u);
  const y = Math.sin(Math.PI * u);
  return first ? [x, y] : [1 - x, 0.5 - y];
}

/** Radii of `circles`. */
export const OUTER_RADIUS = 1;
export const INNER_RADIUS = 0.5;

/**
 * Two circles around the origin, of radius 1 and ½, each with half of the points on average at angles uniform in (0, 2π), as
 * scikit-learn's make_circles with factor ½, which spaces the angles evenly.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function circles(options: ToyOptions): FloatTensor {
  return scatter(options, 2, ([u = 0, which = 0]) => circle(u, which < 0.5 ? OUTER_RADIUS : INNER_RADIUS));
}

/** Point of a circle around the origin after the part u of a turn. */
export function circle(u: number, radius: number): Point {
  return [radius * Math.cos(2 * Math.PI * u), radius * Math.sin(2 * Math.PI * u)];
}

/** Angle at the outer end of an arm of `spirals`, and its radius for each radian. */
export const ARM_TURN: number = 3 * Math.PI;
export const ARM_PITCH = 0.15;

/**
 * Two arms of 1½ turns that meet at the origin, ±0.15·(t cos t, t sin t) with t = 3π√u, u uniform in (0, 1), each with half of
 * the points on average; the root keeps the points nearly as dense outside as inside. The "2spirals" of Grathwohl et al. 2019
 * ("FFJORD", arXiv:1810.01367, code), mirrored, made smaller to the swiss roll's radius 1.41, and with Gaussian noise only.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function spirals(options: ToyOptions): FloatTensor {
  return scatter(options, 2, ([u = 0, which = 0]) => spiralArm(Math.sqrt(u), which < 0.5));
}

/** Point of the first or second arm of `spirals` at the part s of its angle, 0…1; its density over s is 2s. */
export function spiralArm(s: number, first: boolean): Point {
  const t = ARM_TURN * s;
  const radius = (first ? ARM_PITCH : -ARM_PITCH) * t;
  return [radius * Math.cos(t), radius * Math.sin(t)];
}

/**
 * An S of two three-quarter circles of radius 1, one above the other: (sin t, sgn t·(cos t − 1)), t = 3π(u − ½), u uniform in
 * (0, 1): scikit-learn's make_s_curve seen along its axis.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function sCurve(options: ToyOptions): FloatTensor {
  return scatter(options, 1, ([u = 0]) => letterS(u));
}

/** Point of the S at quantile u in (0, 1). */
export function letterS(u: number): Point {
  const t = 3 * Math.PI * (u - 0.5);
  return [Math.sin(t), Math.sign(t) * (Math.cos(t) - 1)];
}

/** How many blades `pinwheel` has, the deviation of a point's place along its blade, and how much they wind. */
export const BLADES = 5;
export const BLADE_DEVIATION = 0.3;
export const BLADE_RATE = 0.25;

/**
 * Five winding blades, each with a fifth of the points on average: r·(cos a, −sin a), r = 1 + 0.3 z, z standard normal,
 * a = 2πk/5 + ¼ e^r. After Johnson et al. 2016 ("Composing graphical models with neural networks for structured representations
 * and fast inference", arXiv:1603.06277, code), ten times smaller; there the blades are noisy across only, here by the same noise
 * in every direction, so that the distribution is a curve with noise.
 * @returns points `[count, 2]`
 * @throws UnnoiseError `usage` for an option out of range
 */
export function pinwheel(options: ToyOptions): FloatTensor {
  return scatter(options, 3, ([which = 0, u = 0, v = 0]) => {
    // Box & Muller 1958.
    const z = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
    return blade(z, Math.floor(which * BLADES));
  });
}

/** Point of a blade, 0…4, at z deviations from the middle of its radii. */
export function blade(z: number, index: number): Point {
  const radius = 1 + BLADE_DEVIATION * z;
  const angle = (2 * Math.PI * index) / BLADES + BLADE_RATE * Math.exp(radius);
  return [radius * Math.cos(angle), -radius * Math.sin(angle)];
}
