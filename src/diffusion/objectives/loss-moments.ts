import { at, invariant } from "../../math/error.ts";

/** Losses that are remembered of each step. */
export const REMEMBERED = 10;
/** Share of uniform draws, so that no step is forgotten. */
const UNIFORM = 0.001;

/** The last losses of each step, oldest first: what importance draws depend on, and so part of a training state. */
export interface LossHistory {
  /** [T, 10]; what is not filled yet is 0. */
  readonly losses: Float32Array;
  /** How many are filled, [T], each at most 10. */
  readonly counts: Int32Array;
}

/**
 * Second moments of the loss by step: p_t ∝ √E[L_t²] over the last 10 losses of each step, once all steps have that many, mixed
 * with 0.001 of uniform draws (Nichol & Dhariwal 2021, eq. 18, arXiv 2102.09672).
 */
export class LossMoments {
  readonly timesteps: number;
  readonly #losses: Float32Array;
  readonly #counts: Int32Array;
  readonly #roots: Float64Array;
  #missing: number;

  /** @param history where to go on; copied */
  constructor(timesteps: number, history?: LossHistory) {
    this.timesteps = timesteps;
    this.#losses = history?.losses.slice() ?? new Float32Array(timesteps * REMEMBERED);
    this.#counts = history?.counts.slice() ?? new Int32Array(timesteps);
    invariant(
      this.#counts.length === timesteps && this.#losses.length === timesteps * REMEMBERED,
      "the history of losses is that of another number of timesteps",
    );
    this.#roots = Float64Array.from({ length: timesteps }, (_, step) => this.#rootOf(step));
    this.#missing = this.#counts.reduce((missing, count) => missing + REMEMBERED - count, 0);
  }

  /** A copy of what is remembered. */
  get history(): LossHistory {
    return { losses: this.#losses.slice(), counts: this.#counts.slice() };
  }

  /** p_t [T], or undefined as long as a step has fewer than 10 losses. */
  probabilities(): Float64Array | undefined {
    if (this.#missing > 0) return undefined;
    const total = this.#roots.reduce((sum, root) => sum + root, 0);
    if (total === 0) return undefined;
    const uniform = UNIFORM / this.timesteps;
    return this.#roots.map((root) => (1 - UNIFORM) * (root / total) + uniform);
  }

  /** Remembers the losses [B] of a batch, before their weights, at its steps [B]. */
  remember(steps: Int32Array, losses: Float32Array): void {
    steps.forEach((step, i) => {
      const row = this.#losses.subarray(step * REMEMBERED, (step + 1) * REMEMBERED);
      const count = at(this.#counts, step);
      if (count < REMEMBERED) {
        this.#counts[step] = count + 1;
        this.#missing--;
      } else row.copyWithin(0, 1);
      row[Math.min(count, REMEMBERED - 1)] = at(losses, i);
      this.#roots[step] = this.#rootOf(step);
    });
  }

  /** √ of the mean square. */
  #rootOf(step: number): number {
    const row = this.#losses.subarray(step * REMEMBERED, (step + 1) * REMEMBERED);
    return Math.sqrt(row.reduce((sum, loss) => sum + loss * loss, 0) / REMEMBERED);
  }
}
