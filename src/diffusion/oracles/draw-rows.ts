import type { Random } from "../../math/random.ts";
import type { NoisedMixture } from "./noised-mixture.ts";

/**
 * Calls `visit` with each of `count` rows drawn from a mixture at one noise level: row `firstIndex` + i of `random` chooses a
 * component by a uniform draw at `address`, and its place by normal draws at `address` + 1.
 */
export function drawRows(
  noised: NoisedMixture,
  { count, random, address, firstIndex = 0 }: DrawOptions,
  visit: (row: Float64Array, index: number) => void,
): void {
  const { width, weights } = noised.mixture;
  const cumulative = runningSum(weights);
  const uniform = new Float64Array(1);
  const z = new Float64Array(width);
  const row = new Float64Array(width);
  for (let i = 0; i < count; i++) {
    random.uniforms(uniform, 1, firstIndex + i, address);
    random.normals(z, width, firstIndex + i, address + 1);
    noised.place(firstAbove(cumulative, uniform[0] as number), z, row);
    visit(row, i);
  }
}

interface DrawOptions {
  readonly count: number;
  readonly random: Random;
  readonly address: number;
  readonly firstIndex?: number;
}

function runningSum(weights: Float64Array): Float64Array {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}

/** Index of the first entry above `part` of the last one. */
function firstAbove(cumulative: Float64Array, part: number): number {
  const target = part * (cumulative[cumulative.length - 1] as number);
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
