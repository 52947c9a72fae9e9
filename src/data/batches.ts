import { UnnoiseError, invariant } from "../math/error.ts";
import { Random } from "../math/random.ts";
import { sizeOf, type FloatTensor } from "../tensor/tensor.ts";

/**
 * The order in which training sees the rows of a data set: each epoch is a new permutation of all rows, made from the seed and
 * the epoch's number alone. The position iteration × batchSize is the whole state: nothing else needs saving to resume.
 */
export class BatchOrder {
  readonly count: number;
  readonly #random: Random;
  #epoch = -1;
  #permutation: Uint32Array = new Uint32Array();

  /**
   * @param count number of rows, 1…2^31−1
   * @param seed integer in 0…2^53−1
   * @throws UnnoiseError `usage` for a count or seed out of range
   */
  constructor(count: number, seed: number) {
    if (!Number.isInteger(count) || count < 1 || count >= 2 ** 31) {
      throw new UnnoiseError("usage", `batch order: expected a number of rows in 1…2^31−1, got ${count}`);
    }
    this.count = count;
    this.#random = new Random(seed, "order");
  }

  /**
   * Fills `out` with the rows at positions firstPosition, firstPosition + 1, … of the endless sequence of epochs.
   * @param out receives row numbers in 0…count−1
   * @param firstPosition integer in 0…2^53−1; permutations repeat after 2^32 epochs
   * @throws UnnoiseError `usage` for a position out of range
   */
  indices(out: Int32Array, firstPosition: number): void {
    if (!Number.isSafeInteger(firstPosition) || firstPosition < 0) {
      throw new UnnoiseError("usage", `batch order: expected a position in 0…2^53−1, got ${firstPosition}`);
    }
    let offset = firstPosition % this.count;
    let epoch = (firstPosition - offset) / this.count;
    let filled = 0;
    while (filled < out.length) {
      const part = this.#permutationOf(epoch).subarray(offset, offset + out.length - filled);
      out.set(part, filled);
      filled += part.length;
      offset = 0;
      epoch++;
    }
  }

  #permutationOf(epoch: number): Uint32Array {
    if (epoch !== this.#epoch) {
      this.#permutation = this.#random.permutation(this.count, epoch);
      this.#epoch = epoch;
    }
    return this.#permutation;
  }
}

/**
 * Copies chosen rows into a batch.
 * @param points `[N, …D]`
 * @param indices B row numbers in 0…N−1
 * @param out receives `[B, …D]`, row-major
 */
export function gatherRows(points: FloatTensor, indices: Int32Array, out: Float32Array): void {
  const width = sizeOf(points.shape.slice(1));
  const rows = points.shape[0] ?? 0;
  invariant(out.length === indices.length * width, `batch of ${indices.length} × ${width} in ${out.length} values`);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i] ?? 0;
    if (row < 0 || row >= rows) invariant(false, `row ${row} outside 0…${rows - 1}`);
    for (let column = 0; column < width; column++) {
      out[i * width + column] = points.data[row * width + column] ?? 0;
    }
  }
}
