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
} as const;
export type Stream = keyof typeof streams;

const TWO_32 = 2 ** 32;

/**
 * Random numbers addressed by (seed, stream, index, step): Philox key = seed, counter = (block, index, step, stream). Row
 * `index` at `step` always receives the same draws, whatever else is drawn, in whatever order and at whatever batch size.
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

  /** Standard normal draws (Box–Muller): row r of `out` `[rows, width]` is addressed by (firstIndex + r, step). */
  normals(out: Float32Array | Float64Array, width: number, firstIndex = 0, step = 0): void {
    const rows = out.length / width;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < width; column += 4) {
        this.#draw(column >>> 2, firstIndex + row, step);
        this.#boxMuller(out, row * width + column, Math.min(4, width - column));
      }
    }
  }

  /** Uniform draws in the open interval (0, 1), addressed like `normals`. */
  uniforms(out: Float32Array | Float64Array, width: number, firstIndex = 0, step = 0): void {
    const rows = out.length / width;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < width; column++) {
        if ((column & 3) === 0) this.#draw(column >>> 2, firstIndex + row, step);
        out[row * width + column] = this.#unit(column & 3);
      }
    }
  }

  /** Uniform integers in 0…below−1, one for each of `out`, addressed by (firstIndex + position, step). */
  integers(out: Int32Array, below: number, firstIndex = 0, step = 0): void {
    for (let position = 0; position < out.length; position++) {
      this.#draw(0, firstIndex + position, step);
      out[position] = Math.floor(this.#unit(0) * below);
    }
  }

  /** A uniform permutation of 0…count−1 (Fisher–Yates), addressed by `step`. */
  permutation(count: number, step = 0): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      this.#draw(0, last, step);
      const chosen = Math.floor(this.#unit(0) * (last + 1));
      const swapped = at(order, last);
      order[last] = at(order, chosen);
      order[chosen] = swapped;
    }
    return order;
  }

  #draw(block: number, index: number, step: number): void {
    philox4x32(this.#block, block, index, step, streams[this.stream], this.#keyLow, this.#keyHigh);
  }

  /** Word `lane` of the block as a number in (0, 1): (word + ½)/2^32, never 0 and never 1. */
  #unit(lane: number): number {
    return ((this.#block[lane] ?? 0) + 0.5) / TWO_32;
  }

  #boxMuller(out: Float32Array | Float64Array, offset: number, count: number): void {
    for (let lane = 0; lane < count; lane += 2) {
      const radius = Math.sqrt(-2 * Math.log(this.#unit(lane)));
      const angle = 2 * Math.PI * this.#unit(lane + 1);
      out[offset + lane] = radius * Math.cos(angle);
      if (lane + 1 < count) out[offset + lane + 1] = radius * Math.sin(angle);
    }
  }
}
