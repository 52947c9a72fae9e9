import type { Dataset } from "../data/dataset.ts";
import { standardise, type Standardiser } from "../data/standardise.ts";
import { isToyName, type ToyName } from "../data/toy.ts";
import { toySupport } from "../data/toy-support.ts";
import { takeRows } from "../data/rows.ts";
import { at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** Parts of a distribution; a point belongs to that of the nearest of some reference points. */
export interface Modes {
  /** What the parts are, for people: "one of 2 moons". */
  readonly description: string;
  readonly count: number;
  /** `[n, D]`, standardised. */
  readonly references: FloatTensor;
  /** Mode of each reference point, `[n]`. */
  readonly modeOf: Int32Array;
}

/** Sets whose support, cell after cell, falls into parts of equal length. */
const parts: Readonly<Record<Exclude<ToyName, "cross">, readonly [count: number, name: string]>> = {
  "swiss-roll": [6, "equally likely pieces of the roll, from the inside out"],
  moons: [2, "moons"],
  circles: [2, "circles"],
  spirals: [2, "arms"],
  "s-curve": [6, "equally likely pieces of the curve"],
  pinwheel: [5, "blades"],
  checkerboard: [8, "squares"],
  "8-gaussians": [8, "Gaussians"],
  "25-gaussians": [25, "Gaussians"],
};

/** Longest cell of the support, in raw units: enough to find the nearest part. */
const SPACING = 0.05;
const LABELLED_POINTS = 2000;
const CLUSTERS = 6;
const CLUSTERED_POINTS = 4000;

/** The parts that a data set falls into: those of its construction, else its classes, else the surroundings of points far apart. */
export function modesOf(dataset: Dataset, standardiser: Standardiser): Modes {
  const { name, labels } = dataset;
  const scaled = (points: FloatTensor): FloatTensor => standardise(points, standardiser);
  if (isToyName(name)) return name === "cross" ? armsOfCross(scaled) : partsOf(name, scaled);
  return labels === undefined
    ? clusters(scaled(firstRows(dataset.points, CLUSTERED_POINTS)))
    : classes(dataset, labels, scaled);
}

type Scaled = (points: FloatTensor) => FloatTensor;

function partsOf(name: Exclude<ToyName, "cross">, scaled: Scaled): Modes {
  const [count, noun] = parts[name];
  const { points } = toySupport(name, SPACING);
  const total = at(points.shape, 0);
  const modeOf = Int32Array.from({ length: total }, (_, i) => Math.floor((i * count) / total));
  return { description: `one of ${count} ${noun}`, count, references: scaled(points), modeOf };
}

/** The bars lie along the diagonals, so each arm has a quadrant to itself. */
function armsOfCross(scaled: Scaled): Modes {
  const references = scaled(floatTensor([1, 1, -1, 1, -1, -1, 1, -1], [4, 2]));
  return { description: "one of 4 arms", count: 4, references, modeOf: Int32Array.of(0, 1, 2, 3) };
}

function classes({ points, classes: names }: Dataset, labels: Int32Array, scaled: Scaled): Modes {
  const references = scaled(firstRows(points, LABELLED_POINTS));
  const count = names?.length ?? 1 + labels.reduce((most, label) => Math.max(most, label), 0);
  const modeOf = labels.slice(0, at(references.shape, 0));
  return { description: `the class of the nearest data point, one of ${count}`, count, references, modeOf };
}

/** Each next centre is the point farthest from all before (Gonzalez 1985); the first is the one nearest to the mean. */
function clusters(points: FloatTensor): Modes {
  const [total, width] = [at(points.shape, 0), at(points.shape, 1)];
  const distances = new Float64Array(total).fill(Infinity);
  const centres = [nearestToOrigin(points)];
  while (centres.length < Math.min(CLUSTERS, total)) {
    const last = at(centres, centres.length - 1);
    for (let i = 0; i < total; i++)
      distances[i] = Math.min(at(distances, i), squared(points.data, i, points.data, last, width));
    centres.push(distances.reduce((most, value, i) => (value > at(distances, most) ? i : most), 0));
  }
  const description = `the surroundings of ${centres.length} data points that lie far apart`;
  const modeOf = Int32Array.from(centres, (_, mode) => mode);
  return { description, count: centres.length, references: takeRows(points, centres), modeOf };
}

function nearestToOrigin({ data, shape }: FloatTensor): number {
  const width = at(shape, 1);
  const origin = new Float32Array(width);
  let best = 0;
  for (let i = 1; i < at(shape, 0); i++) {
    if (squared(data, i, origin, 0, width) < squared(data, best, origin, 0, width)) best = i;
  }
  return best;
}

function firstRows(points: FloatTensor, most: number): FloatTensor {
  const count = Math.min(most, at(points.shape, 0));
  return takeRows(
    points,
    Int32Array.from({ length: count }, (_, i) => i),
  );
}

/**
 * The mode of each point.
 * @param points `[n, D]`, standardised
 * @returns `[n]`, each in 0…count − 1
 */
export function assignModes({ references, modeOf }: Modes, points: FloatTensor): Int32Array {
  const width = at(points.shape, 1);
  return Int32Array.from({ length: at(points.shape, 0) }, (_, row) => {
    let [best, least] = [0, Infinity];
    for (let i = 0; i < modeOf.length; i++) {
      const away = squared(points.data, row, references.data, i, width);
      if (away < least) [best, least] = [i, away];
    }
    return at(modeOf, best);
  });
}

function squared(a: Float32Array, row: number, b: Float32Array, other: number, width: number): number {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += ((a[row * width + d] as number) - (b[other * width + d] as number)) ** 2;
  return sum;
}
