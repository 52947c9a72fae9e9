import { describe, expect, it } from "vitest";
import { at } from "../../math/error.ts";
import { Random } from "../../math/random.ts";
import { LossMoments, REMEMBERED } from "./loss-moments.ts";
import { drawAntithetic, drawByImportance, drawUniform } from "./timestep-draw.ts";

const T = 7;
const random = new Random(4, "timestep");

/** Moments whose steps all have ten losses of ±size(step). */
function filled(size: (step: number) => number): LossMoments {
  const moments = new LossMoments(T);
  const steps = Int32Array.from({ length: T * REMEMBERED }, (_, i) => i % T);
  moments.remember(
    steps,
    Float32Array.from(steps, (step, i) => (i % 2 ? 1 : -1) * size(step)),
  );
  return moments;
}

describe("antithetic draws", () => {
  it.each([1, 2, 7, 8])("are %d steps, the second half the first mirrored", (batch) => {
    const steps = new Int32Array(batch);
    drawAntithetic(steps, T, random, 3);
    const half = Math.floor(batch / 2) + 1;
    const alone = new Int32Array(half);
    drawUniform(alone, T, random, 3);
    expect([...steps.subarray(0, half)]).toEqual([...alone.subarray(0, batch)]);
    for (let i = half; i < batch; i++) expect(at(steps, i)).toBe(T - 1 - at(steps, i - half));
  });

  it("even out the mean step of a batch: its variance is far below that of uniform draws", () => {
    const varianceOf = (draw: typeof drawUniform): number => {
      const means = Array.from({ length: 400 }, (_, iteration) => {
        const steps = new Int32Array(32);
        draw(steps, 1000, random, iteration);
        return steps.reduce((a, b) => a + b, 0) / 32 - 499.5;
      });
      return means.reduce((total, mean) => total + mean ** 2, 0) / means.length;
    };
    // Uniform: 1000²/12/32 = 2604; a sample variance of 400 has a relative standard error of 7 %.
    expect(varianceOf(drawUniform)).toBeGreaterThan(2604 * 0.7);
    expect(varianceOf(drawAntithetic)).toBeLessThan(2604 * 0.2);
  });
});

describe("importance draws", () => {
  const draw = (moments: LossMoments, count: number): { steps: Int32Array; weights: Float32Array } => {
    const [steps, weights] = [new Int32Array(count), new Float32Array(count)];
    drawByImportance(steps, weights, moments, random, 0);
    return { steps, weights };
  };

  it("are uniform until every step has ten losses", () => {
    const moments = new LossMoments(T);
    const steps = Int32Array.from({ length: T * REMEMBERED - 1 }, (_, i) => i % T);
    moments.remember(steps, new Float32Array(steps.length).fill(3));
    const uniform = new Int32Array(50);
    drawUniform(uniform, T, random, 0);
    expect(draw(moments, 50)).toEqual({ steps: uniform, weights: new Float32Array(50).fill(1) });
    expect(moments.probabilities()).toBeUndefined();
    moments.remember(Int32Array.of(T - 1), Float32Array.of(3));
    expect(moments.probabilities()?.every((p) => Math.abs(p - 1 / T) < 1e-12)).toBe(true);
  });

  it("follow √E[L²], with 0.001 of uniform draws", () => {
    const probabilities = filled((step) => step).probabilities() ?? [];
    for (let step = 0; step < T; step++) {
      expect(at(probabilities, step)).toBeCloseTo(0.999 * (step / 21) + 0.001 / T, 6);
    }
  });

  it("come as often as their probabilities say, and their weights undo that", () => {
    const moments = filled((step) => step + 1);
    const probabilities = moments.probabilities() ?? [];
    const count = 20_000;
    const { steps, weights } = draw(moments, count);
    for (let step = 0; step < T; step++) {
      const p = at(probabilities, step);
      const error = Math.sqrt((p * (1 - p)) / count);
      const found = steps.reduce((total, drawn) => total + (drawn === step ? 1 : 0), 0) / count;
      expect(Math.abs(found - p)).toBeLessThan(4.5 * error);
      if (step === 6) expect(Math.abs(found - 1 / T)).toBeGreaterThan(4.5 * error);
    }
    const losses = (step: number): number => (step + 1) ** 2;
    const mean = steps.reduce((total, step, i) => total + at(weights, i) * losses(step), 0) / count;
    expect(mean).toBeCloseTo(20, 0);
  });

  it("remember the last ten losses, oldest first, and go on where they were", () => {
    const moments = filled(() => 1);
    moments.remember(Int32Array.of(2, 2), Float32Array.of(5, 7));
    const { losses, counts } = moments.history;
    expect([...losses.subarray(2 * REMEMBERED, 3 * REMEMBERED)].slice(-3)).toEqual([expect.any(Number), 5, 7]);
    expect(new Set(counts)).toEqual(new Set([REMEMBERED]));
    const copy = new LossMoments(T, moments.history);
    expect(copy.probabilities()).toEqual(moments.probabilities());
    copy.remember(Int32Array.of(0), Float32Array.of(9));
    expect(copy.probabilities()).not.toEqual(moments.probabilities());
  });
});
