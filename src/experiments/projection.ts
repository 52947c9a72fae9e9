import { at } from "../math/error.ts";
import { kendall, spearman } from "../math/rank-correlation.ts";
import { symmetricEigen } from "../math/symmetric-eigen.ts";
import type { FloatTensor } from "../tensor/tensor.ts";

/** A direction onto which points are projected. */
export interface Axis {
  /** "x", or "0.93 x − 0.37 y" */
  readonly name: string;
  /** Unit vector `[D]`, in data units. */
  readonly direction: readonly number[];
}

/** Points `[n, D]` along an axis, data units. */
export function projected({ data, shape }: FloatTensor, { direction }: Axis): Float64Array {
  const width = direction.length;
  return Float64Array.from({ length: at(shape, 0) }, (_, row) =>
    direction.reduce((sum, weight, column) => sum + weight * (data[row * width + column] as number), 0),
  );
}

/** A longest axis that is not at least so much longer than the next one is no more than chance. */
const LEAST_RATIO = 1.5;
/** An axis nearer to the first column than this shows the same picture. */
const LEAST_ANGLE = (20 * Math.PI) / 180;

/** The first column, and the principal axis of the data where there is one and it differs much. */
export function axesOf(points: FloatTensor, columns: readonly string[]): Axis[] {
  const first: Axis = { name: at(columns, 0), direction: columns.map((_, column) => (column === 0 ? 1 : 0)) };
  const principal = principalDirection(points);
  if (!principal || Math.abs(at(principal, 0)) > Math.cos(LEAST_ANGLE)) return [first];
  return [first, { name: directionName(principal, columns), direction: principal }];
}

function principalDirection(points: FloatTensor): number[] | undefined {
  const width = at(points.shape, 1);
  if (width < 2) return undefined;
  const { values, vectors } = symmetricEigen(covarianceOf(points), width);
  const order = Array.from(values, (_, i) => i).sort((a, b) => at(values, b) - at(values, a));
  const [longest, next] = [at(order, 0), at(order, 1)];
  if (at(values, longest) < LEAST_RATIO * at(values, next)) return undefined;
  const direction = Array.from(vectors.subarray(longest * width, (longest + 1) * width));
  const sign = Math.sign(direction.find((part) => Math.abs(part) > 1e-6) ?? 1);
  return direction.map((part) => sign * part);
}

function covarianceOf({ data, shape }: FloatTensor): Float64Array {
  const [count = 0, width = 0] = shape;
  const means = Array.from(
    { length: width },
    (_, c) => data.reduce((s, v, i) => (i % width === c ? s + v : s), 0) / count,
  );
  const out = new Float64Array(width ** 2);
  for (let row = 0; row < count; row++) {
    for (let a = 0; a < width; a++) {
      const da = (data[row * width + a] as number) - at(means, a);
      for (let b = 0; b < width; b++) {
        const db = (data[row * width + b] as number) - at(means, b);
        out[a * width + b] = (out[a * width + b] as number) + (da * db) / count;
      }
    }
  }
  return out;
}

function directionName(direction: readonly number[], columns: readonly string[]): string {
  return direction
    .map(
      (part, i) =>
        `${part < 0 ? (i === 0 ? "−" : "− ") : i === 0 ? "" : "+ "}${Math.abs(part).toFixed(2)} ${at(columns, i)}`,
    )
    .join(" ");
}

/** How far the order along an axis is kept. */
export interface OrderKept {
  readonly axis: string;
  /** Spearman's correlation with the order at the first state, one for each state. */
  readonly correlations: readonly number[];
  /** Share of pairs that are at the last state in the order of the first one. */
  readonly sameOrder: number;
}

/** Compares the order of points along an axis at each state with that of the first state. */
export function orderKept(states: readonly FloatTensor[], axis: Axis): OrderKept {
  const places = states.map((state) => projected(state, axis));
  const [first, last] = [at(places, 0), at(places, places.length - 1)];
  return {
    axis: axis.name,
    correlations: places.map((each) => spearman(first, each)),
    sameOrder: (1 + kendall(first, last)) / 2,
  };
}

/** Quantile 0.975 of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * The 95 % interval of Spearman's ρ: tanh(artanh ρ ± 1.96 √((1 + ρ²/2)/(n − 3))) (Bonett and Wright 2000, "Sample size requirements for
 * estimating Pearson, Kendall and Spearman correlations").
 * @param count n ≥ 4 pairs
 */
export function spearmanInterval(rho: number, count: number): readonly [low: number, high: number] {
  const half = Z * Math.sqrt((1 + rho ** 2 / 2) / (count - 3));
  return [Math.tanh(Math.atanh(rho) - half), Math.tanh(Math.atanh(rho) + half)];
}
