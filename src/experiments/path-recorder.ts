import { unstandardise, type Standardiser } from "../data/standardise.ts";
import { at } from "../math/error.ts";
import { meanOf, type MeanEstimate } from "../math/running-mean.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";

/** What is said of paths besides their states. Lengths are in standardised units. */
export interface PathValues {
  readonly columns: readonly string[];
  /** t of each kept state, in their order. */
  readonly times: readonly number[];
  /** Mean length of a path over all its steps. */
  readonly length: MeanEstimate;
  /** Mean length along the kept states alone. */
  readonly keptLength: MeanEstimate;
  /** Mean distance between the ends of a path. */
  readonly distance: MeanEstimate;
  /** Mean length over mean distance: 1 for straight paths. */
  readonly detour: MeanEstimate;
  /** The same along the kept states. */
  readonly keptDetour: MeanEstimate;
}

/** About `count` times from 0 to T, evenly spread. */
export function spreadTimes(timesteps: number, count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count + 1 }, (_, i) => Math.round((i * timesteps) / count)));
}

/** Keeps the states of points at some times, and how far they have gone. */
export class PathRecorder {
  readonly #standardiser: Standardiser;
  readonly #wanted: ReadonlySet<number>;
  readonly #times: number[] = [];
  readonly #kept: FloatTensor[] = [];
  #first: FloatTensor | undefined;
  #last: FloatTensor | undefined;
  #lastKept: FloatTensor | undefined;
  #lengths = new Float64Array();
  #keptLengths = new Float64Array();

  constructor(standardiser: Standardiser, wanted: ReadonlySet<number>) {
    this.#standardiser = standardiser;
    this.#wanted = wanted;
  }

  /** The next state of all points, standardised `[n, D]`. */
  add(t: number, state: FloatTensor): void {
    const copy = floatTensor(Float32Array.from(state.data), state.shape);
    if (this.#first === undefined) this.#start(copy);
    addDistances(this.#lengths, this.#last ?? copy, copy);
    this.#last = copy;
    if (!this.#wanted.has(t)) return;
    addDistances(this.#keptLengths, this.#lastKept ?? copy, copy);
    this.#lastKept = copy;
    this.#times.push(t);
    this.#kept.push(unstandardise(copy, this.#standardiser));
  }

  /** `[times, n, D]`, data units. */
  states(): FloatTensor {
    const [rows = 0, width = 0] = this.#first?.shape ?? [];
    const out = new Float32Array(this.#kept.length * rows * width);
    this.#kept.forEach(({ data }, index) => out.set(data, index * rows * width));
    return floatTensor(out, [this.#kept.length, rows, width]);
  }

  values(columns: readonly string[]): PathValues {
    const distances = new Float64Array(this.#lengths.length);
    if (this.#first && this.#last) addDistances(distances, this.#first, this.#last);
    const estimate = (values: Float64Array): MeanEstimate => {
      const { mean, standardError } = meanOf(values);
      return { mean, standardError };
    };
    return {
      columns,
      times: this.#times,
      length: estimate(this.#lengths),
      keptLength: estimate(this.#keptLengths),
      distance: estimate(distances),
      detour: ratioOfMeans(this.#lengths, distances),
      keptDetour: ratioOfMeans(this.#keptLengths, distances),
    };
  }

  #start(state: FloatTensor): void {
    this.#first = state;
    this.#lengths = new Float64Array(at(state.shape, 0));
    this.#keptLengths = new Float64Array(at(state.shape, 0));
  }
}

/** out_i += ‖a_i − b_i‖. */
function addDistances(out: Float64Array, a: FloatTensor, b: FloatTensor): void {
  const width = a.data.length / out.length;
  for (let row = 0; row < out.length; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      squares += ((a.data[i] as number) - (b.data[i] as number)) ** 2;
    }
    out[row] = (out[row] as number) + Math.sqrt(squares);
  }
}

/**
 * R = mean(a)/mean(b) of paired values, with the standard error of the linearised ratio, √(Σ (a_i − R b_i)²/(n (n − 1)))/mean(b)
 * (Cochran 1977, Sampling Techniques, eq. 6.13 without the finite population).
 */
export function ratioOfMeans(a: Float64Array, b: Float64Array): MeanEstimate {
  const below = meanOf(b).mean;
  const mean = meanOf(a).mean / below;
  const residuals = a.map((value, i) => value - mean * (b[i] as number));
  return { mean, standardError: meanOf(residuals).standardError / Math.abs(below) };
}
