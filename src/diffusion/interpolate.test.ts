import { describe, expect, it } from "vitest";
import { at } from "../math/error.ts";
import { floatTensor, type FloatTensor } from "../tensor/tensor.ts";
import { interpolateLatents } from "./interpolate.ts";
import { seededNoise } from "./noise.ts";
import { idealDenoiser } from "./oracle.ts";
import { finalSample } from "./sampler.ts";
import { ddim } from "./samplers/ddim.ts";
import { linearSchedule } from "./schedule.ts";
import { trailingSteps } from "./steps.ts";

const rows = (tensor: FloatTensor, width: number): number[][] =>
  Array.from({ length: tensor.data.length / width }, (_, i) => [...tensor.data.subarray(i * width, (i + 1) * width)]);
const norm = (row: readonly number[]): number => Math.hypot(...row);
const apart = (a: readonly number[], b: readonly number[]): number => norm(a.map((x, i) => x - at(b, i)));

function drawn(seed: number, shape: readonly [number, number]): FloatTensor {
  const data = new Float32Array(shape[0] * shape[1]);
  seededNoise(seed).start.normals(data, shape[1], 0, 0);
  return floatTensor(data, shape);
}

describe("interpolation of latents", () => {
  it("walks along the arc at constant speed", () => {
    const path = interpolateLatents(floatTensor([2, 0], [1, 2]), floatTensor([0, 2], [1, 2]), [0, 1 / 3, 0.5, 1]);
    expect(path.shape).toEqual([4, 2]);
    const expected = [2, 0, Math.sqrt(3), 1, Math.SQRT2, Math.SQRT2, 0, 2];
    path.data.forEach((x, i) => expect(x).toBeCloseTo(at(expected, i), 6));
  });

  it("ends on both latents and keeps the length between, which a straight line does not", () => {
    const [a, b] = [drawn(1, [5, 64]), drawn(2, [5, 64])];
    const path = rows(interpolateLatents(a, b, [0, 0.5, 1]), 64);
    rows(a, 64).forEach((row, i) => {
      const other = at(rows(b, 64), i);
      expect(apart(at(path, 3 * i), row)).toBeLessThan(1e-6);
      expect(apart(at(path, 3 * i + 2), other)).toBeLessThan(1e-6);
      const middle = norm(at(path, 3 * i + 1));
      expect(middle).toBeGreaterThan(0.9 * Math.min(norm(row), norm(other)));
      expect(norm(row.map((x, j) => (x + at(other, j)) / 2))).toBeLessThan(0.85 * middle);
    });
  });

  it("joins parallel and nearly parallel rows by a straight line, and a row of zeros too", () => {
    for (const b of [
      [2, 0],
      [1, 1e-9],
      [1, 1e-30],
      [1, 0],
      [0, 0],
    ]) {
      const path = interpolateLatents(floatTensor([1, 0], [1, 2]), floatTensor(b, [1, 2]), [0.25]);
      expect(at(path.data, 0)).toBeCloseTo(0.75 + 0.25 * at(b, 0), 6);
      expect(Math.abs(at(path.data, 1) - 0.25 * at(b, 1))).toBeLessThanOrEqual(1e-6 * at(b, 1));
    }
  });

  it("takes rows as large as pictures", () => {
    const [a, b] = [drawn(1, [1, 200_000]), drawn(2, [1, 200_000])];
    const [middle] = rows(interpolateLatents(a, b, [0.5]), 200_000);
    const square = (middle ?? []).reduce((sum, x) => sum + x * x, 0);
    expect(Math.abs(square / 200_000 - 1)).toBeLessThan(5 * Math.sqrt(2 / 200_000));
  });

  it("rejects opposite rows, unlike shapes and fractions that are none", () => {
    const a = floatTensor([1, 1, 3, -1], [2, 2]);
    expect(() => interpolateLatents(a, floatTensor([1, 1, -6, 2], [2, 2]), [0.5])).toThrow(/row 1 point in opposite/);
    expect(() => interpolateLatents(a, floatTensor([1, 1], [1, 2]), [0.5])).toThrow(/got \[2, 2\] and \[1, 2\]/);
    expect(() => interpolateLatents(a, a, [])).toThrow(/fractions/);
    expect(() => interpolateLatents(a, a, [NaN])).toThrow(/fractions/);
  });

  it("gives DDIM a path of samples from that of a to that of b", async () => {
    const schedule = linearSchedule();
    const denoiser = idealDenoiser(drawn(3, [30, 2]), schedule);
    const sample = async (start: FloatTensor): Promise<FloatTensor> =>
      finalSample(
        ddim()({
          denoiser,
          schedule,
          shape: start.shape,
          noise: seededNoise(0),
          start,
          steps: trailingSteps(1000, 25).subarray(0, 20),
          until: 199,
        }),
      );
    const [a, b] = [drawn(4, [1, 2]), drawn(5, [1, 2])];
    const largestGap = async (parts: number): Promise<number> => {
      const fractions = Array.from({ length: parts + 1 }, (_, i) => i / parts);
      const path = rows(await sample(interpolateLatents(a, b, fractions)), 2);
      const ends = [...rows(await sample(a), 2), ...rows(await sample(b), 2)];
      expect(apart(at(path, 0), at(ends, 0))).toBeLessThan(1e-4);
      expect(apart(at(path, parts), at(ends, 1))).toBeLessThan(1e-4);
      return Math.max(...path.slice(1).map((row, i) => apart(row, at(path, i))));
    };
    expect(await largestGap(400)).toBeLessThan(0.2 * (await largestGap(40)));
  });
});
