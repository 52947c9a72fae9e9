import { describe, expect, it } from "vitest";
import { emaDecay } from "../nn/ema.ts";
import { MoreAverages } from "./more-averages.ts";

/** w_0, the start, and w_1, w_2, … after each update. */
const UPDATES = 150;
const weights = (update: number): number => Math.sin(update) + update / 20;

/** Σ_i w_i·(1 − d_i)·Π_{j>i} d_j, with w_0 weighted by the product of all d. */
function closedForm(decayAt: (update: number) => number): number {
  let total = 0;
  for (let i = 0; i <= UPDATES; i++) {
    let weight = i === 0 ? 1 : 1 - decayAt(i);
    for (let j = i + 1; j <= UPDATES; j++) weight *= decayAt(j);
    total += weight * weights(i);
  }
  return total;
}

function averaged(decays: readonly number[]): MoreAverages {
  const averages = new MoreAverages(decays, Float32Array.of(weights(0), 5));
  for (let update = 1; update <= UPDATES; update++) averages.add(Float32Array.of(weights(update), 5), update);
  return averages;
}

describe("further averages", () => {
  const decays = [0, 0.3, 0.5, 0.9, 0.999];
  const { vectors } = averaged(decays);

  it.each(decays.map((decay, i) => [decay, i] as const))(
    "at decay %d are the weighted sum of all weights",
    (decay, i) => {
      const expected = closedForm((update) => emaDecay(decay, update));
      // Each update rounds a value below 8 to float32 a few times; errors of earlier ones shrink with the decay.
      expect(Math.abs((vectors[i]?.[0] ?? NaN) - expected)).toBeLessThan(UPDATES * 8 * 2 ** -23);
      expect(vectors[i]?.[1]).toBe(5);
    },
  );

  it("are not those of another decay, nor without the warm-up", () => {
    const value = vectors[3]?.[0] ?? NaN;
    expect(Math.abs(value - closedForm((update) => emaDecay(0.89, update)))).toBeGreaterThan(0.01);
    expect(Math.abs((vectors[4]?.[0] ?? NaN) - closedForm(() => 0.999))).toBeGreaterThan(0.01);
  });

  it("go on from where they were, and leave what they were given alone", () => {
    const start = Float32Array.of(weights(0), 5);
    const first = new MoreAverages(decays, start);
    for (let update = 1; update <= 20; update++) first.add(Float32Array.of(weights(update), 5), update);
    const kept = first.vectors.map((vector) => vector.slice());
    const second = new MoreAverages(decays, first.vectors);
    for (let update = 21; update <= UPDATES; update++) second.add(Float32Array.of(weights(update), 5), update);
    expect(second.vectors).toEqual(vectors);
    expect([first.vectors, start]).toEqual([kept, Float32Array.of(weights(0), 5)]);
  });

  it("are none where no decay is asked for", () => {
    expect(averaged([]).vectors).toEqual([]);
  });
});
