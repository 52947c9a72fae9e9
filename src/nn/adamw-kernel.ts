import type { AdamSettings } from "./adamw.ts";
import { adamwWasm } from "./adamw-wasm.ts";

interface Exports {
  sumOfSquares(g: number, count: number): number;
  adamw(w: number, m: number, v: number, e: number, g: number, count: number, ...factors: number[]): void;
}

/** Scalars of one step. */
export interface KernelRates {
  /** η of this step. */
  readonly learningRate: number;
  /** i ≥ 1: which step this is, for the bias corrections. */
  readonly iteration: number;
  /** 1 − decay of the weights' average. */
  readonly oneMinusEmaDecay: number;
  /** Largest gradient norm. */
  readonly clipNorm: number;
}

const PAGE = 65_536;
const LANES = 4;
const names = ["weights", "mean", "square", "ema", "gradient"] as const;

/**
 * AdamW, gradient clipping and weight averaging in one SIMD pass over host memory: what `adamw`, `clipScale` and `emaStep` do as
 * graphs, for providers that share memory with the host. As a graph these are some twenty passes (docs/decisions/0002).
 */
export class AdamwKernel {
  /** Flat vectors [P] in WebAssembly memory; `gradient` is what the next step reads. */
  readonly vectors: Readonly<Record<(typeof names)[number], Float32Array>>;
  readonly #exports: Exports;
  readonly #padded: number;

  /** @param count P, the number of weights */
  constructor(count: number) {
    this.#padded = Math.ceil(count / LANES) * LANES;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((names.length * this.#padded * 4) / PAGE) });
    const bytes = Uint8Array.from(atob(adamwWasm), (character) => character.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    this.#exports = exports as unknown as Exports;
    const [weights, mean, square, ema, gradient] = names.map(
      (_, i) => new Float32Array(memory.buffer, this.#address(i), count),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    this.vectors = { weights, mean, square, ema, gradient };
  }

  /** ‖g‖ of the gradient vector. */
  gradientNorm(): number {
    return Math.sqrt(this.#exports.sumOfSquares(this.#address(names.indexOf("gradient")), this.#padded));
  }

  /** Updates weights, moments and average from the gradient, whose norm is `norm`. */
  step(norm: number, rates: KernelRates, { beta1, beta2, epsilon, weightDecay }: AdamSettings): void {
    const { learningRate, iteration, oneMinusEmaDecay, clipNorm } = rates;
    const scale = Math.min(1, clipNorm / (norm + 1e-6));
    const addresses = names.map((_, i) => this.#address(i)) as [number, number, number, number, number];
    this.#exports.adamw(
      ...addresses,
      this.#padded,
      beta1,
      beta2,
      scale,
      1 / (1 - beta2 ** iteration),
      epsilon,
      learningRate / (1 - beta1 ** iteration),
      1 - learningRate * weightDecay,
      oneMinusEmaDecay,
    );
  }

  #address(index: number): number {
    return index * this.#padded * 4;
  }
}
