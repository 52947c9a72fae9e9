import { UnnoiseError, at } from "./error.ts";
import { philox4x32 } from "./philox.ts";

/** What a draw is for. Each purpose has its own stream, so that no two parts of a run ever share a random number. */
const streams = {
  data: 0,
  order: 1,
  timestep: 2,
  noise: 3,
  init: 4,
  start: 5,
  sampling: 6,
  metric: 7,
  figure: 8,
  bound: 9,
  dropout: 10,
  flip: 11,
  condition: 12,
  split: 13,
} as const;
export type Stream = keyof typeof streams;

const TWO_32 = 2 ** 32;

/**
 * Random numbers addressed by (seed, stream, step, position): Philox with key = seed and counter = (block, block high, step,
 * stream). A row `index` of `width` values stands at positions index·width … index·width + width − 1, so it always receives the
 * same draws, whatever else is drawn, in whatever order and at whatever batch size.
 */
export class Random {
  readonly seed: number;
  readonly stream: Stream;
  readonly #keyLow: number;
  readonly #keyHigh: number;
  readonly #block = new Uint32Array(4);

  /**
   * @param seed integer in 0…2^53−1
   * @throws UnnoiseError `usage` for any other seed
   */
  constructor(seed: number, stream: Stream) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new UnnoiseError("usage", `seed: expected an integer in 0…2^53−1, got ${seed}`);
    }
    this.seed = seed;
    this.stream = stream;
    this.#keyLow = (seed % TWO_32) | 0;
    this.#keyHigh = Math.floor(seed / TWO_32) | 0;
  }

  /** Standard normal draws: `out` [rows, width] holds rows firstIndex, firstIndex + 1, … of `step`. */
  normals(out: Float32Array | Float64Array, width: number, firstIndex = 0, step = 0): void {
    const first = firstIndex * width;
    for (let position = first - (first % 2); position < first + out.length; position += 2) {
      if (position % 4 === 0 || position <= first) this.#draw(Math.floor(position / 4), step);
      // Box & Muller 1958: one pair of uniforms gives one pair of normals.
      const lane = position % 4;
      const radius = Math.sqrt(-2 * Math.log(this.#unit(lane)));
      const angle = 2 * Math.PI * this.#unit(lane + 1);
      const i = position - first;
      if (i >= 0) out[i] = radius * Math.cos(angle);
      if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
    }
  }

  /**
   * Uniform draws in the open interval (0, 1), laid out like `normals`; a Float32Array gets at most 1 − 2^−24, the largest float32
   * below 1, where rounding would give 1.
   */
  uniforms(out: Float32Array | Float64Array, width: number, firstIndex = 0, step = 0): void {
    const first = firstIndex * width;
    const largest = out instanceof Float32Array ? 1 - 2 ** -24 : 1;
    for (let i = 0; i < out.length; i++) {
      const position = first + i;
      if (i === 0 || position % 4 === 0) this.#draw(Math.floor(position / 4), step);
      out[i] = Math.min(this.#unit(position % 4), largest);
    }
  }

  /** Uniform integers in 0…below−1 at positions firstIndex, firstIndex + 1, … of `step`. */
  integers(out: Int32Array, below: number, firstIndex = 0, step = 0): void {
    for (let i = 0; i < out.length; i++) {
      const position = firstIndex + i;
      if (i === 0 || position % 4 === 0) this.#draw(Math.floor(position / 4), step);
      out[i] = Math.floor(this.#unit(position % 4) * below);
    }
  }

  /**
   * Draws that are 1 with probability `rate`, else 0, at positions 0, 1, … of `row` and `step`: two of each word, so that the rate
   * counts to a multiple of 2^−16.
   */
  bits(out: Uint8Array, rate: number, row: number, step = 0): void {
    const threshold = Math.round(rate * 65_536);
    const first = row * 2 ** 30;
    for (let i = 0; i < out.length; i += 8) {
      this.#draw(first + i / 8, step);
      const end = Math.min(8, out.length - i);
      for (let lane = 0; lane < end; lane++) {
        const word = this.#block[lane >> 1] ?? 0;
        out[i + lane] = ((lane & 1) === 0 ? word & 0xffff : word >>> 16) < threshold ? 1 : 0;
      }
    }
  }

  /** A uniform permutation of 0…count−1 (Fisher–Yates), addressed by `step`. */
  permutation(count: number, step = 0): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      this.#draw(last, step);
      const chosen = Math.floor(this.#unit(0) * (last + 1));
      const swapped = at(order, last);
      order[last] = at(order, chosen);
      order[chosen] = swapped;
    }
    return order;
  }

  #draw(block: number, step: number): void {
    const high = Math.floor(block / TWO_32);
    philox4x32(this.#block, block, high, step, streams[this.stream], this.#keyLow, this.#keyHigh);
  }

  /** Word `lane` of the block as a number in (0, 1): (word + ½)/2^32, never 0 and never 1. */
  #unit(lane: number): number {
    return ((this.#block[lane] ?? 0) + 0.5) / TWO_32;
  }
}
