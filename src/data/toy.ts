import { UnnoiseError } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Which points of a toy set to draw. */
export interface ToyOptions {
  /** How many points: an integer ≥ 1. */
  readonly count: number;
  /** Standard deviation of the Gaussian noise added to each coordinate, in the units of the points, ≥ 0. */
  readonly noise: number;
  /** Integer in 0…2^53−1. */
  readonly seed: number;
  /** Number of the first point: point i of a seed is the same whatever the count. 0…2^32−1. */
  readonly firstIndex?: number;
}

export type Point = readonly [x: number, y: number];

const INDEX_LIMIT = 2 ** 32;
const UNIFORM_STEP = 0;
const NOISE_STEP = 1;

function checkOptions({ count, noise, firstIndex = 0 }: ToyOptions): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new UnnoiseError("usage", `count: expected an integer ≥ 1, got ${count}`);
  }
  if (!Number.isFinite(noise) || noise < 0) {
    throw new UnnoiseError("usage", `noise: expected a finite number ≥ 0, got ${noise}`);
  }
  if (!Number.isInteger(firstIndex) || firstIndex < 0 || firstIndex + count > INDEX_LIMIT) {
    throw new UnnoiseError("usage", `points ${firstIndex}…${firstIndex + count - 1}: expected numbers in 0…2^32−1`);
  }
}

/** Places each point by `width` uniform draws in (0, 1) and adds the noise. */
function scatter(options: ToyOptions, width: number, place: (draws: Float64Array) => Point): FloatTensor {
  checkOptions(options);
  const { count, noise, seed, firstIndex = 0 } = options;
  const random = new Random(seed, "data");
  const uniforms = new Float64Array(count * width);
  const points = new Float64Array(count * 2);
  random.uniforms(uniforms, width, firstIndex, UNIFORM_STEP);
  random.normals(points, 2, firstIndex, NOISE_STEP);
  for (let i = 0; i < count; i++) {
    const [x, y] = place(uniforms.subarray(i * width, (i + 1) * width));
    points[2 * i] = x + noise * (points[2 * i] ?? 0);
    points[2 * i + 1] = y + noise * (points[2 * i + 1] ?? 0);
  }
  return floatTensor(Float32Array.from(points), [count, 2]);
}

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

/** Half the length and half the width of a bar of `cross`. */
export const BAR_LENGTH = 1.4;
export const BAR_WIDTH = 0.2;
/** The part of the area in the first bar, which keeps the shared square; the second has only its two arms. */
const FIRST_BAR = BAR_LENGTH / (2 * BAR_LENGTH - BAR_WIDTH);

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

export type ToyName = "swiss-roll" | "moons" | "cross";

/** A toy set: how to draw it, and the noise that gives its usual picture. */
export interface ToyDataset {
  readonly noise: number;
  readonly generate: (options: ToyOptions) => FloatTensor;
}

/** The toy sets by name. */
export const toyDatasets: Readonly<Record<ToyName, ToyDataset>> = {
  "swiss-roll": { noise: 0.05, generate: swissRoll },
  moons: { noise: 0.05, generate: moons },
  cross: { noise: 0.02, generate: cross },
};
