import { UnnoiseError, at, invariant } from "../math/error.ts";
import { sameShape, type FloatTensor } from "../tensor/tensor.ts";

/** One step in 0…T−1 for a whole batch, or one for each row `[B]`. */
export type StepOrSteps = number | Int32Array;

/** A float64 factor for a whole batch, or one for each row `[B]`. */
export type Coefficient = number | Float64Array;

/** Evaluates a coefficient at one step, or at each row's step. */
export function coefficientAt(steps: StepOrSteps, coefficient: (step: number) => number): Coefficient {
  return typeof steps === "number" ? coefficient(steps) : Float64Array.from(steps, coefficient);
}

function checkRows(coefficient: Coefficient, rows: number): void {
  if (typeof coefficient !== "number" && coefficient.length !== rows) {
    throw new UnnoiseError("usage", `steps: expected one for each of ${rows} rows, got ${coefficient.length}`);
  }
}

function rowValue(coefficient: Coefficient, row: number): number {
  return typeof coefficient === "number" ? coefficient : at(coefficient, row);
}

/**
 * a·x + b·y, the form of every equation here, in float64 and rounded once.
 * @param x `[B, …D]`, like `y`
 * @returns a new tensor `[B, …D]`
 * @throws UnnoiseError `usage` when the shapes differ or the coefficients do not number B
 */
export function combine(a: Coefficient, x: FloatTensor, b: Coefficient, y: FloatTensor): FloatTensor {
  if (!sameShape(x.shape, y.shape)) {
    throw new UnnoiseError("usage", `shapes must agree, got [${x.shape.join(", ")}] and [${y.shape.join(", ")}]`);
  }
  const rows = x.shape[0] ?? 1;
  checkRows(a, rows);
  checkRows(b, rows);
  const width = rows === 0 ? 0 : x.data.length / rows;
  invariant(Number.isInteger(width), "data and shape disagree");
  const out = new Float32Array(x.data.length);
  for (let row = 0; row < rows; row++) {
    const ka = rowValue(a, row);
    const kb = rowValue(b, row);
    for (let i = row * width; i < (row + 1) * width; i++) out[i] = ka * (x.data[i] ?? 0) + kb * (y.data[i] ?? 0);
  }
  return { dtype: "float32", shape: x.shape, data: out };
}

/** A tensor's weight in a sum: a number, or one for each value. */
export type Term = readonly [weight: number | Float64Array, tensor: FloatTensor];

/**
 * Σ_k w_k·x_k, summed in float64 and rounded once. Terms of weight 0 are left out.
 * @param terms at least one, all of one shape
 * @returns a new tensor of that shape
 */
export function weightedSum(terms: readonly Term[]): FloatTensor {
  const [, first] = at(terms, 0);
  const sum = new Float64Array(first.data.length);
  for (const [weight, { data }] of terms) {
    invariant(data.length === sum.length, "terms differ in size");
    if (typeof weight === "number") {
      if (weight !== 0) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (data[i] as number);
    } else {
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (weight[i] as number) * (data[i] as number);
    }
  }
  return { dtype: "float32", shape: first.shape, data: new Float32Array(sum) };
}
